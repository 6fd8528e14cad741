import { describe, expect, it } from "vitest";
import { type Instant, millis } from "../../src/base/time.ts";
import { compareTellings } from "./comparison.ts";
import { RuntimeWork, type WorkSpan } from "./runtime-work.ts";
import type { MachineTelling, Telling } from "./telling.ts";
import type { Transition } from "./transitions.ts";

/** `3000 container app: Running`, a line each, in milliseconds since the beginning. */
function transitions(lines: string, begin: number): readonly Transition[] {
  return lines
    .split("\n")
    .map((line) => /^\s*(\d+) (.+): (.+)$/.exec(line))
    .flatMap((match) =>
      match === null
        ? []
        : [
            {
              at: (begin + Number(match[1])) as Instant,
              pod: "default/app",
              podUid: String(begin),
              track: match[2] as string,
              what: match[3] as string,
            },
          ],
    );
}

const virtualBegin = 1_000_000 as Instant;
const machineBegin = 9_000_000 as Instant;

const told = (lines: string): Telling => ({
  transitions: transitions(lines, virtualBegin),
  acts: [virtualBegin],
  begin: virtualBegin,
  end: virtualBegin,
});

function seen(lines: string, work: readonly [from: number, to: number][] = []): MachineTelling {
  const runtimeWork = new RuntimeWork();
  for (const [from, to] of work) {
    const span = { kind: "start", podUid: String(machineBegin), from: machineBegin + from, to: machineBegin + to };
    runtimeWork.add(span as WorkSpan);
  }
  return {
    transitions: transitions(lines, machineBegin),
    acts: [machineBegin],
    begin: machineBegin,
    end: machineBegin,
    work: runtimeWork,
    failure: undefined,
  };
}

const life = `
  0 pod: Pending
  0 container app: Running
  5000 container app: Exited code 1
  5000 container app: Running restart 1`;

const tolerance = () => millis(100);
const compare = (a: Telling, b: MachineTelling) => compareTellings(a, b, { tolerance: tolerance() });

describe("two tellings of a story", () => {
  it("agree when each transition follows its cause within the tolerance, however the delays add up", () => {
    const later = `
      60 pod: Pending
      140 container app: Running
      5210 container app: Exited code 1
      5290 container app: Running restart 1`;
    expect(compare(told(life), seen(later))).toMatchObject({ kind: "agrees", transitions: 4 });
  });

  it("agree when the runtime was busy for as long as a transition is late", () => {
    const slow = life.replace("0 container app: Running\n", "900 container app: Running\n").replaceAll("5000", "5900");
    expect(compare(told(life), seen(slow, [[20, 880]])).kind).toBe("agrees");
    expect(compare(told(life), seen(slow))).toEqual({
      kind: "differs",
      difference:
        "default/app, container app: Running expected 0.000 s after default/app, pod: Pending, seen after 0.900 s (900 ms too late)",
    });
  });

  it("do not count work that was done at the same time twice", () => {
    const slow = life.replace("0 container app: Running\n", "900 container app: Running\n").replaceAll("5000", "5900");
    const twice: [number, number][] = [
      [0, 450],
      [0, 450],
    ];
    expect(compare(told(life), seen(slow, twice)).kind).toBe("differs");
  });

  it("differ when a transition comes too early", () => {
    expect(compare(told(life), seen(life.replaceAll("5000", "4800")))).toMatchObject({
      kind: "differs",
      difference: expect.stringContaining("200 ms too early") as string,
    });
  });

  it.each([
    [
      "is missing",
      life.replace("5000 container app: Running restart 1", ""),
      "expected Running restart 1 at 5.000 s, seen nothing more",
    ],
    [
      "is another",
      life.replace("code 1", "code 2"),
      "expected Exited code 1 at 5.000 s, seen Exited code 2 at 5.000 s",
    ],
    [
      "is one too many",
      `${life}\n 9000 container app: Exited code 1`,
      "expected nothing more, seen Exited code 1 at 9.000 s",
    ],
  ])("differ when a transition %s", (_how, lines, difference) => {
    expect(compare(told(life), seen(lines))).toEqual({
      kind: "differs",
      difference: `default/app, container app: ${difference}`,
    });
  });

  it("differ when something overtakes what should come a second before it", () => {
    const two = `
      0 container a: Running
      1000 container b: Running`;
    const overtaken = `
      1000 container b: Running
      1010 container a: Running`;
    expect(compare(told(two), seen(overtaken, [[0, 1010]]))).toMatchObject({
      kind: "differs",
      difference: expect.stringContaining("container b: Running came before") as string,
    });
  });

  it("differ when the story itself is not content", () => {
    const failed = { ...seen(life), failure: new Error("there is no Pod app") };
    expect(compare(told(life), failed)).toEqual({
      kind: "differs",
      difference: "the story's own check failed: there is no Pod app",
    });
  });
});
