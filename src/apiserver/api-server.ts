// The API server: one door in front of one store.

import { kinds } from "../api/kinds.ts";
import type { ApiRequest, RequestHandler } from "../api/wire/request.ts";
import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Store } from "../store/store.ts";
import { AdmissionChain } from "./admission/admission.ts";
import { admissionPlugins } from "./admission/plugins.ts";
import { createSystemNamespaces, createSystemPriorityClasses } from "./bootstrap.ts";
import { discoveryResponse } from "./discovery/discovery-response.ts";
import { openApiResponse } from "./openapi/open-api-response.ts";
import { Documents } from "./documents.ts";
import { requestHandler } from "./handle-request.ts";
import type { HealthCheck } from "./health.ts";
import type { NodeConnector } from "./node-connector.ts";
import { KubernetesService, type ServerAddress } from "./kubernetes-service.ts";
import { answerMetrics, metricsPath } from "./metrics/answer-metrics.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { DisruptionBudgets } from "./registry/disruption-budgets.ts";
import { answerResourceMetrics } from "./metrics/resource-metrics.ts";
import { parseIpv4Range } from "./registry/ipv4-range.ts";
import { podBinding } from "./registry/pod-binding.ts";
import { podEviction } from "./registry/pod-eviction.ts";
import { podLog } from "./registry/pod-log.ts";
import { podAttach, podExec, podPortForward } from "./registry/pod-streams.ts";
import { Registry } from "./registry/registry.ts";
import { scaleSubresource } from "./registry/scale.ts";
import { resourceDefinitions } from "./registry/strategies.ts";
import { ServiceAllocator } from "./registry/service-allocator.ts";
import { selfSubjectAccessReview, selfSubjectReview, selfSubjectRulesReview } from "./registry/self-reviews.ts";
import { ResourceHandler } from "./resource-handler.ts";
import { ObjectStorage } from "./storage/object-storage.ts";
import { tableMaker } from "./tables/table-for.ts";
import { Watches } from "./watch/watches.ts";

export interface ApiServerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** The way into the nodes, for container logs. */
  readonly nodes: NodeConnector;
  readonly options?: ApiServerOptions;
}

export interface ApiServerOptions {
  /** Freezes every object that leaves the store, so that a caller who changes a shared one is found out. For tests: it costs time. */
  readonly freezeObjects?: boolean;
  /** Where the addresses of Services come from: IPv4, `10.96.0.0/16` unless said. */
  readonly serviceCidr?: string;
  /** Told of failures that are the server's own, not the client's. */
  readonly reportError?: (error: unknown, request: ApiRequest) => void;
  /** Told of what the server could not keep true on its own account. */
  readonly reportFailure?: (what: string, error: unknown) => void;
}

/** Where the addresses of Services come from unless it is said. */
export const defaultServiceCidr = "10.96.0.0/16";

export interface ApiServer {
  /** Answers one request; never rejects. */
  readonly handle: RequestHandler;
  /** Makes the server ready: system namespaces exist, caches follow the store. Call it once. */
  start(): Promise<void>;
  /** Says where this server listens, so that Pods find it as `kubernetes.default`. May be called again when that changes. */
  publish(address: ServerAddress): Promise<void>;
  /** Ends all watches. The store stays open: it is not the server's. */
  stop(): Promise<void>;
}

export function createApiServer({ store, clock, random, nodes, options = {} }: ApiServerParts): ApiServer {
  const storage = new ObjectStorage(store, clock, options.freezeObjects === true);
  const watches = new Watches(clock, storage);
  const definitions = resourceDefinitions();
  const admission = new AdmissionChain(admissionPlugins({ storage, clock, definitions }));
  const serviceRanges = {
    addresses: parseIpv4Range(options.serviceCidr ?? defaultServiceCidr),
    nodePorts: { first: 30_000, last: 32_767 },
  };
  const serviceAllocator = new ServiceAllocator(serviceRanges, storage, random.stream("api-server/services"));
  const registries = definitions.map((definition) => {
    const isServices = definition.group === "" && definition.resource === "services";
    const parts = { storage, admission, clock, random };
    return new Registry(definition, isServices ? { ...parts, allocator: serviceAllocator } : parts);
  });
  const registryOf = (resource: string): Registry => {
    const registry = registries.find(({ definition }) => definition.resource === resource);
    if (registry === undefined) throw new Error(`${resource} are not served`);
    return registry;
  };
  const documents = new Documents(tableMaker(clock));
  const resources = new ResourceHandler({
    registries,
    creatable: new Map([
      ["pods/binding", podBinding(clock)],
      ["pods/eviction", podEviction(clock, new DisruptionBudgets(registryOf("poddisruptionbudgets"), clock))],
    ]),
    readable: new Map([["pods/log", podLog(nodes, clock)]]),
    connectable: new Map([
      ["pods/attach", podAttach(nodes)],
      ["pods/exec", podExec(nodes)],
      ["pods/portforward", podPortForward(nodes)],
    ]),
    virtual: [
      { ...selfSubjectReview, resource: "selfsubjectreviews" },
      { ...selfSubjectAccessReview, resource: "selfsubjectaccessreviews" },
      { ...selfSubjectRulesReview, resource: "selfsubjectrulesreviews" },
    ],
    projected: new Map([["scale", scaleSubresource]]),
    documents,
    watches,
    random: random.stream("api-server/watches"),
  });
  const kubernetesService = new KubernetesService(
    {
      services: registryOf("services"),
      endpoints: registryOf("endpoints"),
      endpointSlices: registryOf("endpointslices"),
    },
    serviceRanges.addresses,
    (error) => options.reportFailure?.("the Service kubernetes", error),
  );
  const metrics = new RequestMetrics();
  const resourceMetrics = answerResourceMetrics({
    pods: registryOf("pods"),
    nodes: registryOf("nodes"),
    connector: nodes,
    documents,
    clock,
  });
  const startedAt = clock.now();
  let isReady = false;

  return {
    handle: requestHandler({
      resources,
      metrics,
      clock,
      documents: [
        (request) => answerMetrics(request, { requests: metrics, registries, watches, startedAt }),
        (request) => resourceMetrics(request),
        (request) => discoveryResponse(request, kinds, otherPaths),
        (request) => openApiResponse(request, kinds, clock.now()),
      ],
      healthChecks: healthChecks(storage, () => isReady),
      random: random.stream("api-server/audit"),
      reportError: options.reportError ?? (() => undefined),
    }),
    async start() {
      storage.start();
      await Promise.all([
        createSystemNamespaces(registryOf("namespaces")),
        createSystemPriorityClasses(registryOf("priorityclasses")),
      ]);
      await kubernetesService.start();
      isReady = true;
    },
    publish: (address) => kubernetesService.publish(address),
    async stop() {
      isReady = false;
      kubernetesService.stop();
      watches.endAll();
      storage.stop();
    },
  };
}

const otherPaths = ["/healthz", "/livez", metricsPath, "/readyz"];

function healthChecks(storage: ObjectStorage, isReady: () => boolean): readonly HealthCheck[] {
  const everywhere = ["livez", "readyz", "healthz"] as const;
  const started = async (): Promise<string | undefined> => (isReady() ? undefined : "not started");
  return [
    { name: "ping", endpoints: everywhere, check: async () => undefined },
    { name: "log", endpoints: everywhere, check: async () => undefined },
    {
      name: "etcd",
      endpoints: everywhere,
      check: async () => {
        await storage.probe();
        return undefined;
      },
    },
    { name: "informer-sync", endpoints: ["readyz"], check: started },
    { name: "poststarthook/start-system-namespaces-controller", endpoints: everywhere, check: started },
    { name: "poststarthook/rbac/bootstrap-roles", endpoints: everywhere, check: started },
    { name: "poststarthook/scheduling/bootstrap-system-priority-classes", endpoints: everywhere, check: started },
    { name: "shutdown", endpoints: ["readyz"], check: started },
  ];
}
