import { describe, expect, it } from "vitest";
import { StatusCache } from "./status-cache.ts";

describe("the cache of statuses", () => {
  it("knows a status only in the state in which it was looked up", () => {
    const cache = new StatusCache<string, string>();
    cache.keep("a", 1, "running");
    expect(cache.known("a", 1)).toBe("running");
    expect(cache.known("a", 2)).toBeUndefined();
    expect(cache.known("b", 1)).toBeUndefined();
  });

  it("remembers an id whose status was dropped, and forgets one that is gone", () => {
    const cache = new StatusCache<string, string>();
    cache.keep("a", 1, "running");
    cache.drop("a");
    expect([cache.has("a"), cache.known("a", 1)]).toEqual([true, undefined]);
    cache.forget("a");
    cache.drop("a");
    expect(cache.has("a")).toBe(false);
  });

  it("expects an id without losing what it knows of it", () => {
    const cache = new StatusCache<string, string>();
    cache.expect("a");
    expect(cache.has("a")).toBe(true);
    cache.keep("a", 1, "running");
    cache.expect("a");
    expect(cache.known("a", 1)).toBe("running");
  });

  it("retains only what still exists", () => {
    const cache = new StatusCache<string, string>();
    cache.keep("a", 1, "x");
    cache.keep("b", 1, "y");
    cache.retain(new Set(["b", "c"]));
    expect([cache.has("a"), cache.has("b"), cache.has("c")]).toEqual([false, true, false]);
  });
});
