// One change of one object, as all watchers of its resource share it: the event object and its line are made once per representation, however
// many watchers receive it.

import type { JsonObject, WatchEvent, WatchEventType } from "../../api/wire/request.ts";
import type { Revision } from "../../store/store.ts";
import type { Document, StoredObject } from "./stored-object.ts";

/** How the objects of a watch are shown: as themselves, as Table rows, as bare metadata. */
export interface EventRepresentation {
  /** Two watchers with the same name share their events. */
  readonly name: string;
  represent(stored: StoredObject): Document;
}

export class Change {
  readonly key: string;
  readonly revision: Revision;
  /** The object after the change; `undefined` if it was removed. */
  readonly current: StoredObject | undefined;
  /** The object before the change; `undefined` if it was created. */
  readonly previous: StoredObject | undefined;
  #events: Map<string, WatchEvent> | undefined;
  #last: StoredObject | undefined;

  constructor(key: string, revision: Revision, current: StoredObject | undefined, previous: StoredObject | undefined) {
    this.key = key;
    this.revision = revision;
    this.current = current;
    this.previous = previous;
  }

  /**
   * The event that tells this change. A DELETED event carries the state before the change with the revision of the change, also when the object only
   * left the selection (api-machinery 4.2).
   */
  event(type: "ADDED" | "MODIFIED" | "DELETED", as: EventRepresentation): WatchEvent {
    const name = `${type} ${as.name}`;
    let event = this.#events?.get(name);
    if (event === undefined) {
      event = watchEvent(type, as.represent(this.#subject(type)));
      this.#events ??= new Map();
      this.#events.set(name, event);
    }
    return event;
  }

  #subject(type: "ADDED" | "MODIFIED" | "DELETED"): StoredObject {
    if (type !== "DELETED") return this.current as StoredObject;
    this.#last ??= (this.previous as StoredObject).asDeletedAt(this.revision);
    return this.#last;
  }
}

export function watchEvent(type: WatchEventType, document: Document): WatchEvent {
  return new SharedEvent(type, document);
}

class SharedEvent implements WatchEvent {
  readonly type: WatchEventType;
  readonly #document: Document;
  #line: string | undefined;

  constructor(type: WatchEventType, document: Document) {
    this.type = type;
    this.#document = document;
  }

  get object(): JsonObject {
    return this.#document.object;
  }

  line(): string {
    this.#line ??= `{"type":"${this.type}","object":${this.#document.text()}}\n`;
    return this.#line;
  }
}
