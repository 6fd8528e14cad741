// What a story has seen: every change of a Pod and every event, in order, with the moment; and the text in which it is compared.

import type { Event } from "../api/index.ts";
import type { Random } from "../base/random.ts";
import type { Clock, Instant } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { createInformer, type Informer } from "../client/informer.ts";
import { eventEntry, type LifeEntry, podEntries } from "../timeline/pod-life.ts";

/** Something that was seen of a Pod: in its status, or as an event about it. */
interface Sighting {
  readonly entry: LifeEntry;
  readonly isEvent: boolean;
}

/** A line of a timeline. */
export interface TimelineLine {
  readonly text: string;
  readonly isEvent: boolean;
}

export class Chronicle {
  readonly #clock: Clock;
  readonly #informers: readonly Pick<Informer<unknown>, "start" | "stop">[];
  readonly #events: Informer<Event>;
  /** Events by uid in the order in which they were first seen. */
  readonly #eventOrder = new Map<string, number>();
  #entries: Sighting[] = [];
  #begin: Instant;

  constructor(parts: { readonly client: Client; readonly clock: Clock; readonly random: Random }) {
    const { client, clock, random } = parts;
    this.#clock = clock;
    this.#begin = clock.now();
    const pods = createInformer({ resource: client.pods, clock, random, name: "story-pods" });
    pods.onAny((change) => {
      const before =
        change.kind === "updated" ? change.previous : change.kind === "deleted" ? change.object : undefined;
      const after = change.kind === "deleted" ? undefined : change.object;
      this.#entries.push(...podEntries(before, after, clock.now()).map((entry) => ({ entry, isEvent: false })));
    });
    this.#events = createInformer({ resource: client.events, clock, random, name: "story-events" });
    this.#events.onAny((change) => {
      if (change.kind === "deleted") return;
      const { uid } = change.object.metadata;
      if (!this.#eventOrder.has(uid)) this.#eventOrder.set(uid, this.#eventOrder.size);
      const entry = eventEntry(change.object, clock.now());
      if (entry !== undefined) this.#entries.push({ entry, isEvent: true });
    });
    this.#informers = [pods, this.#events];
  }

  start(): void {
    for (const informer of this.#informers) informer.start();
  }

  stop(): void {
    for (const informer of this.#informers) informer.stop();
  }

  /** Forgets what was; moments count from now on. */
  chapter(): void {
    this.#entries = [];
    this.#begin = this.#clock.now();
  }

  /** `   12s  [app] Running  restart 1`, a line for each thing that happened to the Pod in this chapter. */
  timeline(namespace: string, pod: string): readonly TimelineLine[] {
    return this.#entries
      .filter(({ entry }) => entry.pod === pod && entry.namespace === namespace)
      .map(({ entry, isEvent }) => ({ text: this.#lineOf(entry), isEvent }));
  }

  /**
   * The events about an object that there are now, oldest first: `Warning  [app] BackOff (3 times)  Back-off restarting…`.
   * @param namespace absent for objects that have none
   */
  events(kind: string, namespace: string | undefined, name: string): readonly string[] {
    return this.#events.lister
      .list()
      .filter(
        ({ involvedObject: about }) =>
          about.kind === kind && about.name === name && (namespace === undefined || about.namespace === namespace),
      )
      .sort((a, b) => this.#orderOf(a) - this.#orderOf(b))
      .map(eventLine);
  }

  #orderOf(event: Event): number {
    return this.#eventOrder.get(event.metadata.uid) ?? 0;
  }

  #lineOf(entry: LifeEntry): string {
    const time = `${Math.round(entry.at - this.#begin) / 1000}s`.padStart(8);
    const container = entry.container === undefined ? "" : `[${entry.container}] `;
    return withoutUids(`${time}  ${container}${entry.what}${entry.detail === "" ? "" : `  ${entry.detail}`}`);
  }
}

function eventLine(event: Event): string {
  const container = /\{(.+)\}/.exec(event.involvedObject.fieldPath ?? "")?.[1];
  const times = (event.count ?? 1) > 1 ? ` (${event.count} times)` : "";
  const about = container === undefined ? "" : `[${container}] `;
  return withoutUids(`${event.type}  ${about}${event.reason}${times}  ${event.message}`);
}

/** Texts that are compared say `<uid>` for what chance gave. */
function withoutUids(text: string): string {
  return text.replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>");
}

/**
 * Compares lines with a text: blanks at the ends of lines, indentation and the width of gaps do not matter; a line of the text that ends in `…`
 * needs only begin the same.
 * @throws Error that shows both
 */
export function expectLines(what: string, happened: readonly string[], told: string): void {
  const want = told.split("\n").map(folded).filter(isText);
  const have = happened
    .flatMap((line) => line.split("\n"))
    .map(folded)
    .filter(isText);
  if (want.length === have.length && want.every((line, index) => matches(line, have[index] as string))) return;
  const shown = have.map((line, index) => `${matches(want[index] ?? "", line) ? "  " : "! "}${line}`);
  throw new Error(`${what} not as told.\ntold:\n${indented(want)}\n\nhappened:\n${shown.join("\n")}\n`);
}

/**
 * Compares a timeline with a text as `expectLines` does. Events travel on their own: at one moment they may come before or after what the status says;
 * the order among events, and that among changes of the status, count.
 */
export function expectTimeline(what: string, happened: readonly TimelineLine[], told: string): void {
  const want = byMoment(told.split("\n").map(folded).filter(isText), (line) => line);
  const have = byMoment(happened.flatMap(unfoldedLines), ({ text }) => text);
  const same =
    want.length === have.length &&
    want.every((lines, index) => {
      const seen = have[index] ?? [];
      const events = seen.filter(({ isEvent }) => isEvent).map(({ text }) => text);
      const changes = seen.filter(({ isEvent }) => !isEvent).map(({ text }) => text);
      return areInterleaved(lines, events, changes);
    });
  if (!same)
    expectLines(
      what,
      happened.map(({ text }) => text),
      `${told}\n`,
    );
}

const unfoldedLines = ({ text, isEvent }: TimelineLine): readonly TimelineLine[] =>
  text
    .split("\n")
    .map((line) => ({ text: folded(line), isEvent }))
    .filter((line) => isText(line.text));

/** Lines in groups that begin with the same moment. */
function byMoment<T>(lines: readonly T[], textOf: (line: T) => string): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let moment: string | undefined;
  for (const line of lines) {
    const own = textOf(line).split(" ")[0];
    if (own !== moment) groups.push([]);
    moment = own;
    groups.at(-1)?.push(line);
  }
  return groups;
}

/** Whether the lines are made of both sequences, each in its order. */
function areInterleaved(want: readonly string[], a: readonly string[], b: readonly string[]): boolean {
  const [line, ...rest] = want;
  if (line === undefined) return a.length === 0 && b.length === 0;
  const [firstOfA, ...restOfA] = a;
  const [firstOfB, ...restOfB] = b;
  return (
    (firstOfA !== undefined && matches(line, firstOfA) && areInterleaved(rest, restOfA, b)) ||
    (firstOfB !== undefined && matches(line, firstOfB) && areInterleaved(rest, a, restOfB))
  );
}

const folded = (line: string): string => line.trim().replace(/\s+/g, " ");
const isText = (line: string): boolean => line !== "";
const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join("\n");
const matches = (want: string, have: string): boolean =>
  want.endsWith("…") ? have.startsWith(want.slice(0, -1).trimEnd()) : want === have;
