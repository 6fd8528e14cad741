import { expect, it } from "vitest";
import type { Instant } from "../base/time.ts";
import type { LifeEntry } from "../timeline/pod-life.ts";
import { createLifeView, formatEntry } from "./life-view.ts";
import { plainPaint } from "./paint.ts";
import type { Terminal } from "./terminal.ts";

const entry = (facts: Partial<LifeEntry>): LifeEntry => ({
  at: 2_204 as Instant,
  namespace: "default",
  pod: "web",
  uid: "u",
  what: "Ready",
  detail: "",
  tone: "good",
  ...facts,
});

function terminal(interactive: boolean, columns = 40, rows = 10): Terminal & { readonly written: string[] } {
  const written: string[] = [];
  const closed = new Promise<void>(() => undefined);
  return { interactive, columns, rows, paint: plainPaint, write: (text) => written.push(text), closed, written };
}

it.each<[rule: string, facts: Partial<LifeEntry>, want: string]>([
  ["time since the start, the Pod, what happened", {}, "   1.204s  web                       Ready"],
  [
    "the container in brackets, the detail last",
    { container: "app", what: "Exited", detail: "code 1" },
    "   1.204s  web[app]                  Exited             code 1",
  ],
  ["a namespace other than default is named", { namespace: "prod" }, "   1.204s  prod/web                  Ready"],
  [
    "a message of several lines stays on its line",
    { detail: "a\nb" },
    "   1.204s  web                       Ready              a b",
  ],
  ["nothing happened before the start", { at: 0 as Instant }, "   0.000s  web                       Ready"],
])("%s", (_rule, facts, want) => {
  expect(formatEntry(entry(facts), 1_000 as Instant, plainPaint)).toBe(want);
});

it("writes one plain line for each change into a pipe, and no control characters", () => {
  const pipe = terminal(false);
  const view = createLifeView(pipe, 1_000 as Instant);
  view.entry(entry({}));
  view.pod("web", { ready: "1/1", status: "Running", restarts: "0" });
  view.note("a note");
  view.close();
  expect(pipe.written.join("")).toBe("   1.204s  web                       Ready\na note\n");
});

it("keeps a block of the Pods below the lines, drawn anew at each change and gone at the end", () => {
  const screen = terminal(true);
  const view = createLifeView(screen, 1_000 as Instant);
  view.pod("web", { ready: "0/1", status: "ContainerCreating", restarts: "0" });
  expect(screen.written.join("")).toContain("  web   0/1    ContainerCreating\n");
  screen.written.length = 0;
  view.entry(entry({}));
  // Two lines up (a rule and one Pod), clear to the end, the line, the block again.
  const [erase, ...rest] = screen.written;
  expect(erase).toBe("\u001b[2A\u001b[0J");
  expect(rest.join("")).toMatch(/^ {3}1\.204s {2}web.*Ready\n─+\n {2}web/s);
  screen.written.length = 0;
  view.close();
  expect(screen.written.join("")).toBe("\u001b[2A\u001b[0J");
});

it("shows no more Pods than the screen has room for, and says how many more there are", () => {
  const screen = terminal(true, 40, 6);
  const view = createLifeView(screen, 0 as Instant);
  for (let index = 0; index < 5; index++) view.pod(`web-${index}`, { ready: "1/1", status: "Running", restarts: "0" });
  expect(screen.written.at(-1)).toContain("… and 3 more");
  expect(screen.written.at(-1)).not.toContain("web-4");
});

it("survives a screen that is too narrow for anything", () => {
  const screen = terminal(true, 1, 1);
  const view = createLifeView(screen, 0 as Instant);
  view.pod("web", { ready: "1/1", status: "Running", restarts: "3" });
  view.close();
  expect(screen.written.length).toBeGreaterThan(0);
});
