// What watches promise, against a model: ordered, complete, without repetition, resumable, whatever is written and whenever one looks away.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { WatchEvent } from "../../src/api/wire/request.ts";
import { ServerUnderTest } from "./api-server-fixture.ts";

const maps = "/api/v1/namespaces/default/configmaps";

type Step =
  | { readonly kind: "write"; readonly name: string; readonly app: string }
  | { readonly kind: "delete"; readonly name: string }
  /** The watch is closed here and opened again `later` steps on, from where it was. */
  | { readonly kind: "lookAway"; readonly later: number };

const name = fc.constantFrom("a", "b", "c");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), name, app: fc.constantFrom("web", "db") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("lookAway" as const), later: fc.integer({ min: 0, max: 6 }) }),
  },
);

/** A client that keeps its own picture of what it watches and resumes from the last version it saw. */
class Follower {
  readonly picture = new Map<string, string>();
  readonly flaws: string[] = [];
  readonly #test: ServerUnderTest;
  readonly #query: string;
  #version: number;
  #stop: (() => void) | undefined;

  constructor(test: ServerUnderTest, query: string) {
    this.#test = test;
    this.#query = query;
    this.#version = test.store.revision();
  }

  async look(): Promise<void> {
    if (this.#stop !== undefined) return;
    const url = `${maps}?watch=true&resourceVersion=${this.#version}${this.#query}`;
    const { body } = await this.#test.respond("GET", url);
    if (body.kind !== "watch") throw new Error("no watch");
    this.#stop = () => body.watch.stop();
    body.watch.start({ event: (event) => this.#take(event), ended: () => this.flaws.push("ended") });
  }

  lookAway(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #take({ type, object }: WatchEvent): void {
    const metadata = object["metadata"] as { name: string; resourceVersion: string; labels: { app: string } };
    const version = Number(metadata.resourceVersion);
    if (version <= this.#version) this.flaws.push(`${type} ${metadata.name} at ${version} after ${this.#version}`);
    this.#version = version;
    const isKnown = this.picture.has(metadata.name);
    if (type === "ADDED" && isKnown) this.flaws.push(`${metadata.name} was added twice`);
    if (type !== "ADDED" && !isKnown) this.flaws.push(`${type} of ${metadata.name}, which is unknown`);
    if (type === "DELETED") this.picture.delete(metadata.name);
    else this.picture.set(metadata.name, `${metadata.labels.app}@${version}`);
  }
}

it("lets every follower end with the true picture", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const test = await ServerUnderTest.start();
      const all = new Follower(test, "");
      const web = new Follower(test, "&labelSelector=app%3Dweb");
      const one = new Follower(test, "&fieldSelector=metadata.name%3Da");
      const followers = [all, web, one];
      let away = 0;
      for (const todo of steps) {
        if (away-- <= 0) await Promise.all(followers.map((follower) => follower.look()));
        switch (todo.kind) {
          case "write": {
            const metadata = { name: todo.name, labels: { app: todo.app } };
            const { status } = await test.create(maps, { metadata });
            if (status === 409) await test.put(`${maps}/${todo.name}`, { metadata });
            break;
          }
          case "delete":
            await test.delete(`${maps}/${todo.name}`);
            break;
          case "lookAway":
            for (const follower of followers) follower.lookAway();
            away = todo.later;
        }
      }
      await Promise.all(followers.map((follower) => follower.look()));

      const { object } = await test.get(maps);
      const truth = object.items.map(
        (item: { metadata: { name: string; resourceVersion: string; labels: { app: string } } }) => [
          item.metadata.name,
          `${item.metadata.labels.app}@${item.metadata.resourceVersion}`,
        ],
      ) as [string, string][];
      expect(followers.flatMap(({ flaws }) => flaws)).toEqual([]);
      expect(Object.fromEntries(all.picture)).toEqual(Object.fromEntries(truth));
      expect(Object.fromEntries(one.picture)).toEqual(Object.fromEntries(truth.filter(([known]) => known === "a")));
      expect(Object.fromEntries(web.picture)).toEqual(
        Object.fromEntries(truth.filter(([, text]) => text.startsWith("web"))),
      );
    }),
    { numRuns: 150, seed: 20_250_102 },
  );
});
