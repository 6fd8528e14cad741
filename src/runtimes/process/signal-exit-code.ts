import { constants } from "node:os";

/** 128 + N for signal N (pod-lifecycle 3.4). */
export function exitCodeOfSignal(signal: NodeJS.Signals | null): number {
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}
