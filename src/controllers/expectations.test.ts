import { beforeEach, describe, expect, it } from "vitest";
import { type Instant, type Millis, minutes, seconds } from "../base/time.ts";
import { Expectations, expectationTimeout } from "./expectations.ts";

let now = 0;
const clock = {
  now: () => now as Instant,
  sleep: () => Promise.resolve(),
  setTimer: () => ({ cancel: () => undefined }),
};
let expectations: Expectations;

beforeEach(() => {
  now = 0;
  expectations = new Expectations(clock);
});

describe("a controller may act", () => {
  it("when it expects nothing", () => {
    expect(expectations.wait("a")).toBe(0);
  });

  it("when it has seen every creation that it asked for", () => {
    expectations.expect("a", { creations: 2 });
    expectations.creationObserved("a");
    expect(expectations.wait("a")).toBe(expectationTimeout);
    expectations.creationObserved("a");
    expect(expectations.wait("a")).toBe(0);
  });

  it("when it has seen every deletion, each counted once", () => {
    expectations.expect("a", { deletions: ["x", "y"] });
    expectations.deletionObserved("a", "x");
    expectations.deletionObserved("a", "x");
    expectations.deletionObserved("a", "unknown");
    expect(expectations.wait("a")).toBe(expectationTimeout);
    expectations.deletionObserved("a", "y");
    expect(expectations.wait("a")).toBe(0);
  });

  it("when it has seen both what it created and what it deleted", () => {
    expectations.expect("a", { creations: 1, deletions: ["x"] });
    expectations.deletionObserved("a", "x");
    expect(expectations.wait("a")).toBe(expectationTimeout);
    expectations.creationObserved("a");
    expect(expectations.wait("a")).toBe(0);
  });

  it("after five minutes, whatever it has not seen", () => {
    expectations.expect("a", { creations: 1 });
    now = minutes(4);
    expect(expectations.wait("a")).toBe(seconds(60));
    now = minutes(5);
    expect(expectations.wait("a")).toBe(0 as Millis);
  });

  it("for one key while another waits, and for one whose owner is gone", () => {
    expectations.expect("a", { creations: 1 });
    expect(expectations.wait("b")).toBe(0);
    expectations.forget("a");
    expect(expectations.wait("a")).toBe(0);
  });
});
