import { describe, expect, it } from "vitest";
import { WallClock } from "./wall-clock.ts";

describe("the machine's clock", () => {
  /** A machine on which time passes, and whose clock somebody sets. */
  function machine() {
    let steady = 5000;
    let wall = 1_000_000;
    const told: number[] = [];
    const clock = new WallClock({ wall: () => wall, steady: () => steady, onSetBack: (by) => told.push(by) });
    return {
      clock,
      told,
      passes(wait: number) {
        steady += wait;
        wall += wait;
      },
      isSet(by: number) {
        wall += by;
      },
    };
  }

  it("is finer than a millisecond", () => {
    const m = machine();
    m.passes(0.25);
    expect(m.clock.now()).toBe(1_000_000.25);
  });

  it("is followed at once when it is put forward", () => {
    const m = machine();
    m.isSet(3_600_000);
    m.passes(1);
    expect(m.clock.now()).toBe(4_600_001);
    expect(m.told).toEqual([]);
  });

  it("never goes back: put back it is slowed down until it agrees again, and that is told once", () => {
    const m = machine();
    m.isSet(-3000);
    m.passes(1000);
    expect(m.clock.now()).toBe(1_000_950);
    m.passes(1000);
    expect(m.clock.now()).toBe(1_001_900);
    for (let i = 0; i < 120; i++) {
      m.passes(1000);
      m.clock.now();
    }
    const before = m.clock.now();
    expect(before).toBeLessThanOrEqual(1_000_000 - 3000 + 122_000 + 60);
    m.passes(1000);
    expect(m.clock.now() - before).toBeGreaterThanOrEqual(950);
    expect(m.told).toEqual([3000]);
  });

  it("tells of each time it is put back", () => {
    const m = machine();
    for (const by of [-60_000, -120_000]) {
      m.isSet(by);
      m.passes(10);
      m.clock.now();
    }
    expect(m.told.map((by) => Math.round(by))).toEqual([60_000, 120_000]);
  });
});
