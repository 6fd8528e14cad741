// docs/parity.md: what of Kubernetes is here, what is different, what is absent. Nearly all of it is read from what the program itself goes by.

import { readdirSync, readFileSync } from "node:fs";
import { apiVersionOf, kinds, type ResourceKind } from "../../src/api/kinds.ts";
import { processGaps, processGapsWithoutRoot } from "../contract/process-gaps.ts";
import { differences } from "./differences.ts";
import { podFields } from "./pod-fields.ts";
import { processRefusals } from "./process-refusals.ts";
import { type Row, table } from "./markdown.ts";

const root = new URL("../../", import.meta.url);

export function parityDocument(): string {
  return `${[
    "# What of Kubernetes is here",
    "<!-- Made by `npx vitest run test/parity --update` from the code. A test fails when it is stale. -->",
    "The rule: **a field, a verb or a header that lifepod does not act on is never ignored in silence.** It is refused with its name and the reason, or, where nothing that its author means would be lost, accepted with a `Warning` that every client shows. The measure is Kubernetes 1.34 with its default feature gates.",
    "## What the API serves",
    served(),
    "## kubectl",
    kubectl(),
    "## The fields of a Pod",
    "Fields are acted on as Kubernetes does unless a table says otherwise. A refusal is a `422 Invalid` that names the field. What stands in brackets says for which values, keys or circumstances a row holds.",
    ...podFields(),
    "## What a runtime cannot give",
    runtimes(),
    "## What is different on purpose",
    ...differences(readText("src/kubelet/README.md")),
  ].join("\n\n")}\n`;
}

function served(): string {
  const rows = kinds.map((kind): Row => [`\`${apiVersionOf(kind)}\``, names(kind), verbs(kind), subresources(kind)]);
  return [
    table(["group version", "resource", "verbs", "below it"], rows),
    "_All_ verbs are create, delete, deletecollection, get, list, patch, update and watch. What is not in the table is answered with 404, as by a server without it: networking, storage, RBAC, custom resources. Patches are JSON, merge and strategic merge patches; server-side apply is refused.",
    "Discovery (aggregated and not), OpenAPI v2 and v3, `/version`, `/livez`, `/readyz`, `/healthz` and a small `/metrics` are served. JSON, YAML and protobuf are read; JSON and YAML are written.",
  ].join("\n\n");
}

function names({ resource, kind, namespaced, shortNames }: ResourceKind): string {
  const short = shortNames.length === 0 ? "" : `, ${shortNames.map((name) => `\`${name}\``).join(", ")}`;
  return `\`${resource}\`${short} (${kind}${namespaced ? "" : ", in no namespace"})`;
}

function verbs({ verbs: served_ }: ResourceKind): string {
  return served_.length === 8 ? "_all_" : served_.join(", ");
}

function subresources({ subresources: below }: ResourceKind): string {
  return below.map(({ name, verbs: each }) => `\`${name}\` (${each.join(", ")})`).join(", ");
}

/** The commands that transcripts play against the real kubectl. */
function kubectl(): string {
  const folder = new URL("test/transcripts/", root);
  const transcripts = readdirSync(folder).filter((name) => name.endsWith(".md") && name !== "README.md");
  const commands = new Set(
    transcripts.flatMap((name) =>
      [...readFileSync(new URL(name, folder), "utf8").matchAll(/^\$ .*?\bkubectl ([a-z][a-z-]*)/gm)].map(
        (match) => match[1] as string,
      ),
    ),
  );
  const list = [...commands].toSorted().map((command) => `\`${command}\``);
  return `Transcripts in \`test/transcripts\` play these commands with four versions of the real kubectl and compare every line, also of what they say where something is not served: ${list.join(", ")}.`;
}

function runtimes(): string {
  const gaps = Object.entries(processGaps).map(([check, why]): Row => [check, why]);
  const withoutRoot = Object.keys(processGapsWithoutRoot).map((check): Row => [check, "needs root"]);
  return [
    "Every runtime runs the same contract suite. **containerd** and the **simulated** runtime keep all of it. Plain **processes** do not:",
    table(["promise of the contract", "why not"], [...gaps, ...withoutRoot]),
    "What a Pod asks for and a process cannot have fails at run time: the container waits in `CreateContainerError`, the sandbox is tried again, and an event has the sentence.",
    table(["asked for", "what the event says"], processRefusals()),
    "All processes share the machine's processes, IPC, network and kernel settings; CPU and memory limits of processes are not enforced.",
  ].join("\n\n");
}

const readText = (path: string): string => readFileSync(new URL(path, root), "utf8");
