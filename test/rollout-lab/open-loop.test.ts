import { expect, it } from "vitest";
import { millis, seconds } from "../../src/base/time.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { type Answer, OpenLoop } from "./open-loop.ts";

const ok: Answer = { kind: "ok", detail: "" };

function start(ask: (path: string, clock: VirtualClock) => Promise<Answer>) {
  const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  const options = { clock, perSecond: 100, pathOf: (n: number) => `/${n}`, ask: (path: string) => ask(path, clock) };
  return { clock, client: new OpenLoop(options) };
}

it("sends at its pace although nothing comes back for long", async () => {
  const { clock, client } = start(async (_path, time) => {
    await time.sleep(seconds(5));
    return ok;
  });
  await clock.advance(seconds(1));
  expect(client.sent).toBe(101);
  const finished = client.finish();
  await clock.advance(seconds(5));
  const outcomes = await finished;
  expect(outcomes.map(({ path }) => path)).toEqual(Array.from({ length: 101 }, (_, n) => `/${n}`));
  expect(new Set(outcomes.map(({ ended, intended }) => ended - intended))).toEqual(new Set([5000]));
});

it("counts the latency from the moment at which a request was meant to be sent", async () => {
  let wasHeldUp = false;
  const { clock, client } = start(async (path, time) => {
    // The client itself stands still, as a busy machine makes it.
    if (path === "/10" && !wasHeldUp) {
      wasHeldUp = true;
      time.putForward(millis(500));
    }
    return ok;
  });
  await clock.advance(seconds(2));
  const outcomes = await client.finish();
  expect(outcomes.find(({ path }) => path === "/11")).toMatchObject({ late: 500 });
  expect(Math.max(...outcomes.map(({ ended, intended }) => ended - intended))).toBe(500);
});
