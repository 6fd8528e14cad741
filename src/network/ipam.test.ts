import { describe, expect, it } from "vitest";
import { AddressRange } from "./ipam.ts";

describe("a range of addresses", () => {
  it("gives the lowest first and keeps network, gateway and broadcast address", () => {
    const range = new AddressRange("10.244.1.0/29");
    expect(range.gateway).toBe("10.244.1.1");
    expect(Array.from({ length: 5 }, () => range.allocate())).toEqual(
      [2, 3, 4, 5, 6].map((last) => `10.244.1.${last}`),
    );
  });

  it("says in the plugin's words that it is used up", () => {
    const range = new AddressRange("10.0.0.0/30");
    range.allocate();
    expect(() => range.allocate()).toThrow(
      "failed to allocate for range 0: no IP addresses available in range set: 10.0.0.0/30",
    );
  });

  it("gives a returned address again only after the others", () => {
    const range = new AddressRange("10.0.0.0/29");
    range.release(range.allocate());
    expect(Array.from({ length: 5 }, () => range.allocate()).map((a) => a.split(".")[3])).toEqual([
      "3",
      "4",
      "5",
      "6",
      "2",
    ]);
  });

  it("passes over addresses that were found in use", () => {
    const range = new AddressRange("10.0.0.0/24");
    range.take("10.0.0.2");
    range.take("192.168.0.1");
    expect(range.allocate()).toBe("10.0.0.3");
  });

  it("takes ranges that cross a byte and starts at their base", () => {
    const range = new AddressRange("10.244.3.77/23");
    const given = Array.from({ length: 300 }, () => range.allocate());
    expect(given[0]).toBe("10.244.2.2");
    expect(given[299]).toBe("10.244.3.45");
  });

  it.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.256/24", "fd00::/64", "10.0.0.0/31"])("refuses %s", (cidr) => {
    expect(() => new AddressRange(cidr)).toThrow(RangeError);
  });
});
