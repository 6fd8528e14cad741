// Small things that sandboxes, containers and images share when they cross between our words and CRI's.

import type { Instant } from "../../base/time.ts";
import type { NamespaceMode, NamespaceOptions, RuntimeCondition, SecurityProfile } from "../runtime-service.ts";
import { NamespaceMode as CriNamespaceMode, SecurityProfile_ProfileType, type StatusResponse } from "./gen/cri.ts";

/** Nanoseconds since 1970 → our milliseconds with microseconds in the fraction. Zero, "not yet", stays zero as upstream shows it. */
export function instantOf(nanoseconds: bigint): Instant {
  return (Number(nanoseconds / 1000n) / 1000) as Instant;
}

/** RuntimeReady and NetworkReady; a runtime may report others, which nobody asks for. */
export function conditionsOf(response: StatusResponse): readonly RuntimeCondition[] {
  return (response.status?.conditions ?? []).flatMap(({ type, status, reason, message }): RuntimeCondition[] =>
    type === "RuntimeReady" || type === "NetworkReady" ? [{ type, status, reason, message }] : [],
  );
}

export const criNamespaceMode: Readonly<Record<NamespaceMode, CriNamespaceMode>> = {
  POD: CriNamespaceMode.POD,
  CONTAINER: CriNamespaceMode.CONTAINER,
  NODE: CriNamespaceMode.NODE,
  TARGET: CriNamespaceMode.TARGET,
};

/** An unknown number of a newer runtime reads as the default, POD. */
export function namespaceModeOf(mode: number | undefined): NamespaceMode {
  const found = (Object.keys(criNamespaceMode) as NamespaceMode[]).find((name) => criNamespaceMode[name] === mode);
  return found ?? "POD";
}

export function criNamespaceOptions(options: NamespaceOptions) {
  return {
    network: criNamespaceMode[options.network],
    pid: criNamespaceMode[options.pid],
    ipc: criNamespaceMode[options.ipc],
    ...(options.targetId === undefined ? {} : { targetId: options.targetId }),
  };
}

export function criSecurityProfile(profile: SecurityProfile) {
  return {
    profileType: SecurityProfile_ProfileType[profile.profileType],
    localhostRef: profile.localhostRef ?? "",
  };
}

export const int64Value = (value: number) => ({ value: BigInt(value) });

/** Drops what is `undefined`, because CRI tells "not set" from zero only by absence. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
