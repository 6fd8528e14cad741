import { describe, expect, it } from "vitest";
import { expectLines, expectTimeline, type TimelineLine } from "./chronicle.ts";

const change = (text: string): TimelineLine => ({ text, isEvent: false });
const event = (text: string): TimelineLine => ({ text, isEvent: true });

describe("a timeline", () => {
  const happened = [
    change("0s  Pending"),
    event("0s  Scheduled  to a"),
    change("3s  Running"),
    event("3s  Pulled"),
    change("3s  Ready"),
  ];

  it.each([
    ["as it happened", "0s Pending\n0s Scheduled to a\n3s Running\n3s Pulled\n3s Ready"],
    ["with other gaps and indentation", "  0s   Pending\n\n  0s Scheduled   to a\n 3s Running\n3s Pulled\n3s Ready\n"],
    ["with the beginning of a line", "0s Pending\n0s Scheduled …\n3s Running\n3s Pulled\n3s Ready"],
    ["with events elsewhere at the same moment", "0s Scheduled to a\n0s Pending\n3s Running\n3s Ready\n3s Pulled"],
  ])("may be told %s", (_how, told) => {
    expect(() => expectTimeline("it is", happened, told)).not.toThrow();
  });

  it.each([
    ["changes in another order", "0s Pending\n0s Scheduled to a\n3s Ready\n3s Pulled\n3s Running"],
    ["another moment", "0s Pending\n0s Scheduled to a\n4s Running\n4s Pulled\n4s Ready"],
    ["less", "0s Pending\n0s Scheduled to a\n3s Running\n3s Ready"],
    ["more", "0s Pending\n0s Scheduled to a\n3s Running\n3s Pulled\n3s Pulled\n3s Ready"],
    ["another text", "0s Pending\n0s Scheduled to b\n3s Running\n3s Pulled\n3s Ready"],
    ["nothing", ""],
  ])("is not %s", (_what, told) => {
    expect(() => expectTimeline("it is", happened, told)).toThrow("it is not as told");
  });

  it("keeps the order of events among themselves", () => {
    const events = [event("0s  Pulling"), event("0s  Pulled")];
    expect(() => expectTimeline("it is", events, "0s Pulled\n0s Pulling")).toThrow("it is not as told");
  });
});

it("shows which line is not as told", () => {
  expect(() => expectLines("they are", ["a", "b"], "a\nc")).toThrow(/told:\n {2}a\n {2}c\n\nhappened:\n {2} ?a\n! b/);
});
