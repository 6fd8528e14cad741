// kill -9 at random moments of a churn of forty Pods: of lifepod over both runtimes, and of containerd. Afterwards everything is counted.
// `npm run kills` kills fifty times each; KILLS and KILLS_SEED change the number and the moments.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { millis, seconds } from "../../src/base/time.ts";
import { clock, until } from "../containerd/until.ts";
import { runtimeRows } from "../end-to-end/runtimes-at-hand.ts";
import { StandingCluster } from "../end-to-end/standing-cluster.ts";
import { Churn } from "./churn.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";
import { lostCreations } from "./lost-creations.ts";
import { doubled, needlessStarts, type Outage, untruths } from "./truth.ts";

const kills = Number(process.env["KILLS"] ?? 6);
const seed = process.env["KILLS_SEED"] ?? "1";
/** After so many kills the churn pauses until the API tells the truth. */
const killsBetweenChecks = 10;
/** The API tells the truth again within this. */
const truthLimit = seconds(60);

const rows = runtimeRows.flatMap(([name, offer]) => [
  { name: `lifepod over ${name}`, victim: "lifepod" as const, runtime: name, ...offer },
  ...(name === "containerd" ? [{ name: "containerd", victim: "containerd" as const, runtime: name, ...offer }] : []),
]);

describe.concurrent("Pods survive kill -9", () => {
  it.for(rows)("of $name, again and again", { timeout: 240_000 + kills * 20_000 }, async (row, test) => {
    test.skip(row.absence !== undefined, row.absence);
    const title = `${kills} kills of ${row.victim} over ${row.runtime}, KILLS_SEED=${seed}`;
    const random = new SeededRandom(`${seed}/${row.victim}/${row.runtime}`);
    const moments = random.stream("moments");
    const runtime = await row.start();
    const cluster = await StandingCluster.start(runtime.arguments);
    const testimonies = join(cluster.folder, "testimonies");
    const temporary = join(cluster.folder, "tmp");
    for (const folder of [testimonies, temporary]) mkdirSync(folder);
    await cluster.end("SIGTERM");
    cluster.setVariables({ TMPDIR: temporary });
    await cluster.up();
    const held = (): Promise<Holdings> => holdingsOf(cluster, testimonies, temporary, runtime.containerd);
    const before = await held();

    const churn = new Churn(cluster, random.stream("churn"), runtime.image, testimonies);
    const outages: Outage[] = [];
    const twice = new Set<string>();
    const look = (): void => {
      for (const each of doubled(testimonies)) twice.add(each);
    };
    const lost = (pod: string, container: string): number =>
      row.victim === "containerd" ? lostCreations(runtime.containerd?.log() ?? "", pod, container) : 0;
    const waits: number[] = [];
    const toTruth = async (): Promise<void> => {
      const from = clock.now();
      let wrong: readonly string[] = [];
      try {
        await until(
          "the API tells the truth",
          async () => {
            look();
            const { items } = await cluster.api.listNamespacedPod({ namespace: "default" });
            wrong = untruths(churn, items, testimonies, outages, lost);
            if (wrong.length === 0) return true;
            await clock.sleep(millis(200));
            return undefined;
          },
          truthLimit,
        );
      } catch (error) {
        const said = cluster.process.stdout.split("\n").slice(-20).join("\n");
        throw new Error(`${title}: ${(error as Error).message}\n${wrong.join("\n")}\n${said}`, { cause: error });
      }
      waits.push((clock.now() - from) / 1000);
    };

    try {
      await churn.start();
      await toTruth();
      for (let kill = 1; kill <= kills; kill++) {
        churn.goOn();
        await clock.sleep(millis(moments.integer(50, 2500)));
        const from = uptime();
        if (row.victim === "lifepod") {
          await cluster.end("SIGKILL");
          await clock.sleep(millis(moments.integer(0, 500)));
          await cluster.up();
        } else {
          await runtime.containerd?.end("SIGKILL");
          await clock.sleep(millis(moments.integer(0, 500)));
          await runtime.containerd?.begin();
        }
        outages.push({ from, to: uptime() });
        look();
        if (kill % killsBetweenChecks !== 0 && kill !== kills) continue;
        churn.pause();
        await toTruth();
      }
      await churn.stop();
      const { needless, interrupted } = needlessStarts(churn, outages);
      const lived = churn.pods.size;
      await churn.deleteAll();
      await toTruth();
      let left: readonly string[] = [];
      let lostThings: readonly string[] = [];
      const cleanFrom = clock.now();
      await until(
        "nothing is left",
        async () => {
          const log = runtime.containerd?.log() ?? "";
          const found = leaksBetween(before, await held());
          lostThings = row.victim === "containerd" ? found.filter((leak) => isContainerdsOwn(leak, log)) : [];
          left = found.filter((leak) => !lostThings.includes(leak));
          return left.length === 0 ? true : undefined;
        },
        truthLimit,
      ).catch(() => undefined); // what is left is told below, by name

      process.stderr.write(
        `${title}: ${lived} Pods, ${churn.acknowledged} calls acknowledged; true after ${waits.map((wait) => wait.toFixed(1)).join(", ")} s; ` +
          `${needless.length} needless starts, ${interrupted.length} starts repeated that a kill cut short, ${twice.size} doubled, ` +
          `${left.length} leaks ${((clock.now() - cleanFrom) / 1000).toFixed(1)} s after the last Pod${lostThings.length === 0 ? "" : `, ${lostThings.length} things that containerd lost (${sortsOf(lostThings)})`}\n` +
          `${interrupted.map((line) => `  cut short: ${line}\n`).join("")}${left.map((line) => `  left: ${line}\n`).join("")}`,
      );
      expect({ needless, doubled: [...twice], leaks: left }).toEqual({ needless: [], doubled: [], leaks: [] });
    } catch (error) {
      if (process.env["KILLS_LOG"] !== undefined) {
        const said = `${cluster.process.stdout}\n${runtime.containerd?.log() ?? ""}`;
        writeFileSync(`${process.env["KILLS_LOG"]}-${row.victim}-${row.runtime}`, said);
      }
      throw error;
    } finally {
      await churn.giveUp();
      await cluster.stop();
      await runtime.stop();
    }
  });
});

/** What is there now and was not there before. */
function leaksBetween(before: Holdings, now: Holdings): readonly string[] {
  return Object.entries(now).flatMap(([sort, names]) =>
    names.filter((name) => before[sort]?.includes(name) !== true).map((name) => `${sort}: ${name}`),
  );
}

/**
 * What a containerd that was killed has lost itself: it answered that the sandbox or container is removed, or never told anybody that it is there. A network
 * namespace is made before the sandbox is noted anywhere. Nobody can ask for their removal.
 */
function isContainerdsOwn(leak: string, log: string): boolean {
  if (/^(network namespaces|containerd's mounts): \S*cni-[0-9a-f-]+$/.test(leak)) return true;
  const id = /\b[0-9a-f]{64}\b/.exec(leak)?.[0];
  if (id === undefined) return false;
  const quoted = `\\"${id}\\"`;
  const isRemoved =
    log.includes(`RemovePodSandbox ${quoted} returns`) || log.includes(`RemoveContainer for ${quoted} returns`);
  const isTold = log.includes(`returns sandbox id ${quoted}`) || log.includes(`returns container id ${quoted}`);
  return isRemoved || !isTold;
}

/** `2 shims, 4 cgroups` */
function sortsOf(things: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const thing of things) {
    const sort = thing.slice(0, thing.indexOf(":"));
    counts.set(sort, (counts.get(sort) ?? 0) + 1);
  }
  return [...counts].map(([sort, count]) => `${count} ${sort}`).join(", ");
}

const uptime = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
