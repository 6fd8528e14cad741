// The log of what was committed, newest last: what watches from the past and reads at an old revision are answered from.

import type { Instant, Millis } from "../base/time.ts";
import { minutes } from "../base/time.ts";
import type { Revision, StoreEvent } from "./store.ts";

/** One transaction that changed something. */
export interface Commit {
  readonly revision: Revision;
  readonly at: Instant;
  readonly events: readonly StoreEvent[];
}

/**
 * How much history a store keeps by itself. Revisions younger than `age` are kept, and at least the newest `revisions`; the two upper bounds hold
 * whatever the age.
 */
export interface HistoryLimit {
  readonly age: Millis;
  readonly revisions: number;
  readonly mostRevisions: number;
  /** Counted in characters of keys and values. */
  readonly mostCharacters: number;
}

export const defaultHistoryLimit: HistoryLimit = {
  age: minutes(5),
  revisions: 10_000,
  mostRevisions: 50_000,
  mostCharacters: 32 * 1024 * 1024,
};

/** Commits without gaps in their revisions. */
export class History {
  #commits: Commit[] = [];
  /** The commits before this index are forgotten; cut off for good once they are half of the array. */
  #head = 0;
  #characters = 0;

  get size(): number {
    return this.#commits.length - this.#head;
  }

  append(commit: Commit): void {
    this.#commits.push(commit);
    this.#characters += characters(commit);
  }

  /** The commit of one revision; `undefined` if it is forgotten or not yet made. */
  at(revision: Revision): Commit | undefined {
    const first = this.#commits[this.#head];
    return first === undefined || revision < first.revision
      ? undefined
      : this.#commits[this.#head + revision - first.revision];
  }

  /** All commits with a revision greater than `revision`, oldest first. */
  since(revision: Revision | 0): readonly Commit[] {
    const first = this.#commits[this.#head];
    if (first === undefined) return [];
    return this.#commits.slice(this.#head + Math.max(0, revision + 1 - first.revision));
  }

  /** Forgets the commits up to and including `revision`; returns them. */
  forgetThrough(revision: Revision): Commit[] {
    let end = this.#head;
    while (end < this.#commits.length && (this.#commits[end] as Commit).revision <= revision) end++;
    const forgotten = this.#commits.slice(this.#head, end);
    for (const commit of forgotten) this.#characters -= characters(commit);
    this.#head = end;
    if (this.#head > this.#commits.length / 2) {
      this.#commits = this.#commits.slice(this.#head);
      this.#head = 0;
    }
    return forgotten;
  }

  /**
   * Up to which revision the history may be forgotten now; `undefined` if nothing needs to go. Waits until a tenth of what is kept has become
   * superfluous, so that forgetting is rare and in bulk.
   */
  superfluous(limit: HistoryLimit, now: Instant): Revision | undefined {
    const slack = Math.ceil(limit.revisions / 10);
    const crowded = this.size > limit.mostRevisions + slack || this.#characters > limit.mostCharacters * 1.1;
    const aged = this.size > limit.revisions + slack && this.#isOlder(this.#head + slack, limit.age, now);
    if (!crowded && !aged) return undefined;

    let end = this.#head;
    let left = this.#characters;
    while (end < this.#commits.length) {
      const count = this.#commits.length - end;
      const tooMany = count > limit.mostRevisions || left > limit.mostCharacters;
      if (!tooMany && (count <= limit.revisions || !this.#isOlder(end, limit.age, now))) break;
      left -= characters(this.#commits[end] as Commit);
      end++;
    }
    return end === this.#head ? undefined : (this.#commits[end - 1] as Commit).revision;
  }

  #isOlder(index: number, age: Millis, now: Instant): boolean {
    const commit = this.#commits[index];
    return commit !== undefined && now - commit.at > age;
  }
}

function characters(commit: Commit): number {
  let sum = 0;
  for (const event of commit.events) {
    sum += event.key.length;
    if (event.kind === "put") sum += event.current.value.length;
  }
  return sum;
}
