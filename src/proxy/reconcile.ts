// Keeps a node's data path at what Services and EndpointSlices say.

import type { Service } from "../api/generated/core-v1.ts";
import type { EndpointSlice } from "../api/generated/discovery-v1.ts";
import type { Random } from "../base/random.ts";
import { type Clock, seconds } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { Controller, type ReconcileOutcome, done } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import { type Informer, createInformer } from "../client/informer.ts";
import type { RouteTrouble, ServiceDataPath } from "../network/service-routes.ts";
import { planRoutes } from "./plan.ts";

export interface ProxyParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: EventRecorder;
  readonly dataPath: ServiceDataPath;
  /** Whose endpoints are the local ones. */
  readonly nodeName: string;
  /** Told of what failed and is tried again. */
  readonly log: (message: string) => void;
}

export interface RunningProxy {
  /** Takes the routes away; resolves when they are gone. */
  stop(): Promise<void>;
}

/** The one key: the table is worked out as a whole. */
const wholeTable = "services";

/** When what could not be set up is tried again: the port may have become free. */
const troubleRetry = seconds(30);

export function startProxy(parts: ProxyParts): RunningProxy {
  const { client, clock, random, log } = parts;
  const onFailure = (error: unknown): void => log(`proxy: list or watch failed: ${String(error)}`);
  const shared = { clock, random, onFailure };
  const services = createInformer({ ...shared, resource: client.services, name: "proxy/services" });
  const slices = createInformer({ ...shared, resource: client.endpointSlices, name: "proxy/endpointslices" });
  const table = new AppliedTable(parts, services, slices);
  const controller = new Controller({
    name: "proxy",
    clock,
    reconcile: () => table.reconcile(),
    onFailure: ({ error, retryAfter }) => log(`proxy: ${String(error)}; again in ${retryAfter} ms`),
  });
  const wake = (): void => {
    if (services.hasSynced() && slices.hasSynced()) controller.queue.add(wholeTable);
  };
  services.onAny(wake);
  slices.onAny(wake);
  services.start();
  slices.start();
  void Promise.all([services.whenSynced(), slices.whenSynced()]).then(wake);
  controller.start();
  return {
    async stop() {
      services.stop();
      slices.stop();
      await controller.stop();
      await parts.dataPath.close();
    },
  };
}

class AppliedTable {
  readonly #parts: ProxyParts;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  /** The table that the data path has, as text: most changes of slices change nothing of it. */
  #applied: string | undefined;
  /** What people were told, so that they are told once. */
  #told: ReadonlySet<string> = new Set();

  constructor(parts: ProxyParts, services: Informer<Service>, slices: Informer<EndpointSlice>) {
    this.#parts = parts;
    this.#services = services;
    this.#slices = slices;
  }

  async reconcile(): Promise<ReconcileOutcome> {
    const { dataPath, nodeName } = this.#parts;
    const table = planRoutes(this.#services.lister.list(), this.#slices.lister.list(), nodeName);
    const text = JSON.stringify(table);
    if (text === this.#applied) return done;
    // If it fails nobody knows what the data path has.
    this.#applied = undefined;
    const troubles = await dataPath.apply(table);
    this.#tell(troubles);
    if (troubles.length > 0) return { kind: "after", wait: troubleRetry };
    this.#applied = text;
    return done;
  }

  #tell(troubles: readonly RouteTrouble[]): void {
    const { recorder, log } = this.#parts;
    for (const trouble of troubles) {
      const { namespace, service: name, message } = trouble;
      if (this.#told.has(textOf(trouble))) continue;
      log(`proxy: Service ${namespace}/${name}: ${message}`);
      const service = this.#services.lister.get(`${namespace}/${name}`);
      if (service === undefined) continue;
      const subject = { apiVersion: "v1", kind: "Service", metadata: service.metadata };
      recorder.record(subject, { type: "Warning", reason: "FailedToListen", message });
    }
    this.#told = new Set(troubles.map(textOf));
  }
}

const textOf = ({ namespace, service, message }: RouteTrouble): string => `${namespace}/${service} ${message}`;
