// ServiceAccount: every Pod runs as one of its namespace's service accounts (api-machinery 9.5). Nothing mounts a token: lifepod issues none yet.

import { isJsonObject, textAt } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { seconds } from "../../base/time.ts";
import type { Clock, Timer } from "../../base/time.ts";
import { type ApiObject, listAt, objectAt, withField } from "../registry/api-object.ts";
import type { Change } from "../storage/change.ts";
import type { ResourceCache } from "../storage/resource-cache.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden, isPodRequest } from "./admission-refusal.ts";

const defaultName = "default";
/** A new namespace gets its default account from a controller, a moment after it was made. */
export const defaultServiceAccountWait = seconds(1.5);
const mirrorPodAnnotation = "kubernetes.io/config.mirror";

export interface ServiceAccountLookup {
  cache(): Promise<ResourceCache>;
  keyFor(namespace: string, name: string): string;
}

export function serviceAccountAdmission(accounts: ServiceAccountLookup, clock: Clock): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    async mutate(request, pod) {
      if (!isPodRequest(request) || request.operation !== "CREATE") return pod;
      if (pod.metadata.annotations?.[mirrorPodAnnotation] !== undefined) {
        const objection = mirrorObjection(pod);
        if (objection !== undefined) throw admissionForbidden(request, objection);
        return pod;
      }
      const name = textAt(pod, "spec", "serviceAccountName") || textAt(pod, "spec", "serviceAccount") || defaultName;
      const account = await accountFor(request, name);
      return withServiceAccount(pod, name, listAt(account.object, "imagePullSecrets"));
    },
  };

  async function accountFor(request: AdmissionRequest, name: string): Promise<StoredObject> {
    const { namespace } = request;
    const cache = await accounts.cache();
    const key = accounts.keyFor(namespace, name);
    const account = cache.get(key) ?? (name === defaultName ? await appears(cache, key, clock) : undefined);
    if (account !== undefined) return account;
    throw admissionForbidden(
      request,
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    );
  }
}

/** A mirror only shows what a node runs by itself: it must not be a way to what the API keeps. */
function mirrorObjection(pod: ApiObject): string | undefined {
  if (textAt(pod, "spec", "serviceAccountName") !== "") return "a mirror pod may not reference service accounts";
  const spec = objectAt(pod, "spec");
  const objectsIn = (lists: readonly string[], of: JsonObject): readonly JsonObject[] =>
    lists.flatMap((list) => listAt(of, list)).filter(isJsonObject);
  const containers = objectsIn(["initContainers", "containers", "ephemeralContainers"], spec);
  const sources = containers.flatMap((container) => objectsIn(["envFrom"], container));
  const values = containers
    .flatMap((container) => objectsIn(["env"], container))
    .map((each) => objectAt(each, "valueFrom"));
  const volumes = objectsIn(["volumes"], spec);
  const projected = volumes.flatMap((volume) => objectsIn(["sources"], objectAt(volume, "projected")));
  const asks = (objects: readonly JsonObject[], field: string): boolean =>
    objects.some((object) => object[field] !== undefined);
  if (
    listAt(spec, "imagePullSecrets").length > 0 ||
    asks(sources, "secretRef") ||
    asks(values, "secretKeyRef") ||
    asks([...volumes, ...projected], "secret")
  ) {
    return "a mirror pod may not reference secrets";
  }
  if (asks(projected, "serviceAccountToken")) return "a mirror pod may not use ServiceAccountToken volume projections";
  return undefined;
}

function withServiceAccount(pod: ApiObject, name: string, pullSecrets: readonly unknown[]): ApiObject {
  const spec = objectAt(pod, "spec");
  const own = listAt(spec, "imagePullSecrets");
  return withField(pod, "spec", {
    ...spec,
    serviceAccountName: name,
    serviceAccount: name,
    ...(own.length === 0 && pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets } : {}),
  });
}

/** The object under `key` as soon as it is there; `undefined` if that takes too long. */
function appears(cache: ResourceCache, key: string, clock: Clock): Promise<StoredObject | undefined> {
  return new Promise((resolve) => {
    const settle = (stored: StoredObject | undefined): void => {
      cache.unsubscribe(listen);
      timer.cancel();
      resolve(stored);
    };
    const listen = (change: Change): void => {
      if (change.key === key && change.current !== undefined) settle(change.current);
    };
    const timer: Timer = clock.setTimer(
      defaultServiceAccountWait,
      () => settle(undefined),
      "wait for a service account",
    );
    cache.subscribe(listen);
  });
}
