// Who a container's process runs as.

import { readFileSync } from "node:fs";
import type { ContainerSecurityContext } from "../runtime-service.ts";
import { RuntimeUnsupportedError } from "../runtime-service.ts";
import type { Privileges } from "./requirements.ts";
import { isRoot } from "./requirements.ts";

export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups: readonly number[];
  readonly home: string;
}

/** @throws RuntimeUnsupportedError if lifepod may not become that user; Error if there is no user of that name */
export function accountOf(security: ContainerSecurityContext, privileges: Privileges): Account {
  const named = security.runAsUsername === undefined ? undefined : accountNamed(security.runAsUsername);
  const uid = security.runAsUser ?? named?.uid ?? privileges.uid;
  const gid =
    security.runAsGroup ?? named?.gid ?? (uid === privileges.uid ? privileges.gid : (accountWith(uid)?.gid ?? 0));
  const supplementalGroups = security.supplementalGroups ?? [];
  const changes = uid !== privileges.uid || gid !== privileges.gid || supplementalGroups.length > 0;
  if (changes && !isRoot(privileges)) {
    throw new RuntimeUnsupportedError(
      `securityContext with user ${uid}, group ${gid}${supplementalGroups.length > 0 ? ` and groups ${supplementalGroups.join(", ")}` : ""}: only root can become another user; run lifepod as root, leave out runAsUser, runAsGroup, fsGroup and supplementalGroups, or run the Pod on a container runtime (--runtime containerd)`,
    );
  }
  return { uid, gid, supplementalGroups, home: accountWith(uid)?.home ?? "/" };
}

/** The words before a command that make it run as the user, with the capabilities asked for; none if nothing changes. */
export function privilegeChange(
  account: Account,
  security: ContainerSecurityContext,
  privileges: Privileges,
): readonly string[] {
  const words: string[] = [];
  const groups = account.supplementalGroups;
  if (isRoot(privileges)) {
    if (account.uid !== privileges.uid) words.push("--reuid", String(account.uid));
    if (account.gid !== privileges.gid) words.push("--regid", String(account.gid));
    if (groups.length > 0) words.push("--groups", groups.join(","));
    else if (words.length > 0) words.push("--clear-groups");
    words.push(...capabilityWords(security));
  }
  if (security.noNewPrivileges === true) words.push("--no-new-privs");
  return words.length === 0 ? [] : ["setpriv", ...words, "--"];
}

function capabilityWords(security: ContainerSecurityContext): readonly string[] {
  const { drop = [], add = [] } = security.capabilities ?? {};
  if (drop.length === 0 || security.privileged === true) return [];
  const name = (capability: string): string => capability.toLowerCase().replace(/^cap_/, "");
  const list = [
    ...drop.map((capability) => `-${name(capability)}`),
    ...add.map((capability) => `+${name(capability)}`),
  ];
  // Without a place in the bounding set a capability is lost with the next program that is executed, for root too.
  return ["--bounding-set", list.join(","), "--inh-caps", list.join(",")];
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

function accountNamed(name: string): PasswdEntry {
  const found = passwd().find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`unable to find user ${name}: no matching entries in passwd file`);
  return found;
}

function accountWith(uid: number): PasswdEntry | undefined {
  return passwd().find((entry) => entry.uid === uid);
}

function passwd(): readonly PasswdEntry[] {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 6)
    .map(([name = "", , uid, gid, , home = "/"]) => ({ name, uid: Number(uid), gid: Number(gid), home }));
}
