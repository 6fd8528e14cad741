// The table of Events. Both groups print alike, though their fields have other names.

import type { Event as CoreEvent, ObjectReference } from "../../api/generated/core-v1.ts";
import type { Event } from "../../api/generated/events-v1.ts";
import type { Instant } from "../../base/time.ts";
import type { Column, Printed, TablePrinter } from "./table-printer.ts";
import { orElse, printerOfViews, timeSince } from "./table-printer.ts";

interface EventView {
  readonly name: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly count: number;
  readonly type: string;
  readonly reason: string;
  readonly object: Printed<ObjectReference> | undefined;
  readonly source: string;
  readonly message: string;
}

const columns: readonly Column<EventView>[] = [
  { name: "Last Seen", description: "Time since it happened last", cell: ({ lastSeen }) => lastSeen },
  { name: "Type", description: "Normal or Warning", cell: ({ type }) => type },
  { name: "Reason", description: "Why it happened, in one word", cell: ({ reason }) => reason },
  { name: "Object", description: "What it happened to", cell: ({ object }) => objectText(object) },
  {
    name: "Subobject",
    wide: true,
    description: "Which part of the object",
    cell: ({ object }) => object?.fieldPath ?? "",
  },
  { name: "Source", wide: true, description: "Who says so", cell: ({ source }) => source },
  { name: "Message", description: "What happened", cell: ({ message }) => message.trim() },
  { name: "First Seen", wide: true, description: "Time since it happened first", cell: ({ firstSeen }) => firstSeen },
  { name: "Count", wide: true, description: "How often it happened", cell: ({ count }) => count },
  { name: "Name", format: "name", wide: true, description: "Name of the Event", cell: ({ name }) => name },
];

export const coreEventPrinter: TablePrinter = eventPrinter<CoreEvent>((event, now) => ({
  name: event.metadata?.name ?? "",
  ...timesOf(event.firstTimestamp, event.lastTimestamp, event, now),
  count: event.series?.count ?? orOne(event.count),
  type: event.type ?? "",
  reason: event.reason ?? "",
  object: event.involvedObject,
  source: sourceText(
    orElse(event.source?.component, event.reportingComponent ?? ""),
    orElse(event.source?.host, event.reportingInstance ?? ""),
  ),
  message: event.message ?? "",
}));

export const eventsPrinter: TablePrinter = eventPrinter<Event>((event, now) => ({
  name: event.metadata?.name ?? "",
  ...timesOf(event.deprecatedFirstTimestamp, event.deprecatedLastTimestamp, event, now),
  count: event.series?.count ?? orOne(event.deprecatedCount),
  type: event.type ?? "",
  reason: event.reason ?? "",
  object: event.regarding,
  source: sourceText(
    orElse(event.deprecatedSource?.component, event.reportingController ?? ""),
    orElse(event.deprecatedSource?.host, event.reportingInstance ?? ""),
  ),
  message: event.note ?? "",
}));

function eventPrinter<T>(view: (event: Printed<T>, now: Instant) => EventView): TablePrinter {
  return printerOfViews<T, EventView>(view, columns);
}

/** Older writers give the first and last time, newer ones the time of the event and of its series; what is not given may also be null. */
function timesOf(
  first: string | null | undefined,
  last: string | null | undefined,
  { eventTime, series }: Printed<Pick<Event, "eventTime" | "series">>,
  now: Instant,
): Pick<EventView, "firstSeen" | "lastSeen"> {
  const firstSeen = timeSince(first ?? eventTime, now);
  if (series !== undefined && series !== null) return { firstSeen, lastSeen: timeSince(series.lastObservedTime, now) };
  return { firstSeen, lastSeen: last === undefined || last === null ? firstSeen : timeSince(last, now) };
}

const orOne = (count: number | undefined): number => (count === undefined || count === 0 ? 1 : count);

const sourceText = (component: string, instance: string): string =>
  instance === "" ? component : `${component}, ${instance}`;

function objectText(object: Printed<ObjectReference> | undefined): string {
  const kind = (object?.kind ?? "").toLowerCase();
  return orElse(object?.name, "") === "" ? kind : `${kind}/${object?.name ?? ""}`;
}
