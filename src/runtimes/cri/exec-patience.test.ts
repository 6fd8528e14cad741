import { expect, it } from "vitest";
import { type Millis, millis, seconds } from "../../base/time.ts";
import { VirtualClock } from "../../simulation/virtual-clock.ts";
import { ExecPatience } from "./exec-patience.ts";
import { GrpcError } from "./grpc-error.ts";

const failure = (code: "DeadlineExceeded" | "Unavailable") =>
  new GrpcError(code, "no answer", "/runtime.v1.RuntimeService/Version");

/** When a command with one second of time is given up, whose runtime's answers take these times; the last one again and again. */
async function givenUpAfter(answers: readonly (Millis | readonly [Millis, GrpcError])[], ends?: Millis) {
  const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  const start = clock.now();
  let asked = 0;
  const patience = new ExecPatience(clock, ["check"], seconds(1), async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)] as (typeof answers)[number];
    await clock.sleep(typeof answer === "number" ? answer : answer[0]);
    if (typeof answer !== "number") throw answer[1];
  });
  let at: number | undefined;
  patience.signal.addEventListener("abort", () => {
    at = clock.now() - start;
  });
  if (ends !== undefined) clock.setTimer(ends, () => patience.end());
  await clock.advance(seconds(300));
  patience.end();
  return at;
}

it.each([
  ["when its time is up and the runtime answers", [millis(10)], undefined, 1010],
  ["only after its time anew where the runtime stood still", [seconds(30), millis(10)], undefined, 32010],
  [
    "when the runtime has not answered for as long as a call may take",
    [[seconds(120), failure("DeadlineExceeded")] as const],
    undefined,
    121_000,
  ],
  ["never, if it has ended in time", [millis(10)], millis(500), undefined],
  ["never, if it has ended while the runtime was asked", [millis(100)], millis(1050), undefined],
] as const)("a command is given up %s", async (_when, answers, ends, want) => {
  expect(await givenUpAfter(answers, ends)).toBe(want);
});

it("a command is not given up because the runtime has gone: its own call says so", async () => {
  expect(await givenUpAfter([[millis(1), failure("Unavailable")]])).toBeUndefined();
});
