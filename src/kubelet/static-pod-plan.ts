// What to do next about one static Pod and its mirror. Pure.

import type { Pod } from "../api/generated/core-v1.ts";
import { isMirrorOf } from "./static-pod.ts";

/** What there is under one name. */
export interface StaticPodSight {
  /** What the folder asks for. */
  readonly desired: Pod | undefined;
  /** What has a worker on this node; `ending` once it was told to end. */
  readonly running: { readonly pod: Pod; readonly ending: boolean } | undefined;
  /** What the API shows. */
  readonly mirror: Pod | undefined;
}

export type StaticPodStep = "start" | "end" | "createMirror" | "deleteMirror" | "nothing";

/**
 * A Pod of another content waits for the end of the one before it. Its mirror follows what runs: whoever deletes a mirror gets a new one, and
 * the mirror of a Pod that is gone goes, too.
 */
export function planStaticPod({ desired, running, mirror }: StaticPodSight): StaticPodStep {
  if (running === undefined) {
    if (desired !== undefined) return "start";
    return mirror === undefined ? "nothing" : "deleteMirror";
  }
  if (running.ending) return "nothing";
  if (running.pod.metadata.uid !== desired?.metadata.uid) return "end";
  if (mirror === undefined) return "createMirror";
  return mirror.metadata.deletionTimestamp !== undefined || !isMirrorOf(mirror, running.pod)
    ? "deleteMirror"
    : "nothing";
}
