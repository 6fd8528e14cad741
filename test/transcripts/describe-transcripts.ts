// Makes tests of transcripts: each is played with each promised version of kubectl against one fresh `lifepod up`.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, it } from "vitest";
import { findKubectl, promisedKubectlVersions } from "../apiserver/kubectl.ts";
import { until } from "../containerd/until.ts";
import { type RunningLifepod, startLifepod } from "./lifepod-up.ts";
import { play } from "./play.ts";
import {
  expectedLines,
  formatTranscript,
  matches,
  mergeOutputs,
  type Part,
  parseTranscript,
  type Step,
} from "./transcript.ts";

/** Set to write what the commands print into the transcripts, instead of comparing. */
const rewriting = process.env["REWRITE_TRANSCRIPTS"] === "1";

export interface TranscriptOptions {
  /** How many are played at the same time; 1 for those that change what all share, such as nodes. */
  readonly atOnce: number;
}

/** Tests the transcripts of these topics: `<topic>.md` beside this file. */
export function describeTranscripts(topics: readonly string[], { atOnce }: TranscriptOptions): void {
  const turns = new Turns(atOnce);
  let server: RunningLifepod;
  let homes: string;

  beforeAll(async () => {
    homes = await mkdtemp(join(tmpdir(), "lifepod-kubectl-homes-"));
    for (const version of promisedKubectlVersions) await mkdir(join(homes, version));
    server = await startLifepod();
  });
  afterAll(async () => {
    await server?.stop();
    await rm(homes, { recursive: true, force: true });
  });

  const playOne = async (
    topic: string,
    parts: readonly Part[],
    version: string,
  ): Promise<readonly (readonly string[])[]> => {
    const binary = findKubectl(version);
    if (binary === undefined) throw new Error(`there is no kubectl.${version}`);
    const namespace = `${topic}-${version.replace(".", "-")}`;
    await createNamespace(server.kubeconfig, namespace);
    return play(parts, {
      version,
      binary,
      kubeconfig: withNamespace(server.kubeconfig, namespace),
      namespace,
      home: join(homes, version),
      masked: {
        literals: [
          [server.nodeName, "<node>"],
          [namespace, "demo"],
        ],
      },
      mode: rewriting ? "record" : "check",
    });
  };

  const compare = (topic: string): void => {
    it.for(promisedKubectlVersions)("kubectl %s", { timeout: 240_000 }, async (version, { expect, skip }) => {
      if (findKubectl(version) === undefined) skip(`there is no kubectl.${version} on this machine`);
      const parts = await read(topic);
      const outputs = await turns.take(() => playOne(topic, parts, version));
      const differences = stepsOf(parts).flatMap((step, index) =>
        differenceOf(`${topic}.md:${step.line}`, step, outputs[index] ?? [], version),
      );
      expect(differences, `kubectl ${version} shows something else:\n\n${differences.join("\n\n")}\n`).toHaveLength(0);
    });
  };
  const rewrite = (topic: string): void => {
    it("is rewritten", { timeout: 600_000 }, async ({ expect }) => {
      const parts = await read(topic);
      const outputs = new Map<string, readonly (readonly string[])[]>();
      for (const version of promisedKubectlVersions) {
        outputs.set(version, await turns.take(() => playOne(topic, parts, version)));
      }
      await writeFile(pathOf(topic), formatTranscript(rewritten(parts, outputs)));
      expect(outputs.size).toBe(promisedKubectlVersions.length);
    });
  };
  const tests = rewriting ? rewrite : compare;
  describe.concurrent.each(topics)("%s", (topic) => {
    tests(topic);
  });
}

const pathOf = (topic: string): URL => new URL(`${topic}.md`, import.meta.url);

const read = async (topic: string): Promise<readonly Part[]> => parseTranscript(await readFile(pathOf(topic), "utf8"));

const stepsOf = (parts: readonly Part[]): readonly Step[] =>
  parts.flatMap((part) => (part.kind === "console" ? part.steps : []));

function differenceOf(where: string, step: Step, actual: readonly string[], version: string): readonly string[] {
  const expected = expectedLines(step, version);
  if (matches(expected, actual)) return [];
  const lines = mergeOutputs(
    new Map([
      ["expected", expected],
      ["actual", actual],
    ]),
  );
  const sign = (versions: readonly string[] | undefined): string =>
    versions === undefined ? "  " : versions.includes("expected") ? "- " : "+ ";
  return [[`${where}  $ ${step.command}`, ...lines.map(({ text, versions }) => sign(versions) + text)].join("\n")];
}

/** The parts with new outputs; a step whose output still matches stays as it is written. */
function rewritten(
  parts: readonly Part[],
  outputs: ReadonlyMap<string, readonly (readonly string[])[]>,
): readonly Part[] {
  let index = 0;
  return parts.map((part) => {
    if (part.kind !== "console") return part;
    const steps = part.steps.map((step) => {
      const printed = new Map([...outputs].map(([version, all]) => [version, all[index] ?? []]));
      index++;
      const unchanged = [...printed].every(([version, lines]) => matches(expectedLines(step, version), lines));
      return unchanged ? step : { ...step, output: mergeOutputs(printed) };
    });
    return { ...part, steps };
  });
}

function withNamespace(kubeconfig: string, namespace: string): string {
  const named = kubeconfig.replace(/^( +)user: lifepod$/m, `$&\n$1namespace: ${namespace}`);
  if (named === kubeconfig) throw new Error("the kubeconfig has no context to give a namespace to");
  return named;
}

/** A namespace with all that controllers put into a new one. */
async function createNamespace(kubeconfig: string, name: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  // A second try begins anew: what the first one left goes with its namespace.
  const namespaces = async () => (await core.listNamespace()).items.map(({ metadata }) => metadata?.name);
  if ((await namespaces()).includes(name)) {
    await core.deleteNamespace({ name });
    await until(`the earlier ${name} is gone`, async () => ((await namespaces()).includes(name) ? undefined : name));
  }
  await core.createNamespace({ body: { metadata: { name } } });
  await until(`${name} has its default service account`, async () => {
    const { items } = await core.listNamespacedServiceAccount({ namespace: name });
    return items.find(({ metadata }) => metadata?.name === "default");
  });
  await until(`${name} has its root certificate`, async () => {
    const { items } = await core.listNamespacedConfigMap({ namespace: name });
    return items.find(({ metadata }) => metadata?.name === "kube-root-ca.crt");
  });
}

/** Lets so many run at the same time. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
