// The manifests under test: one that is written as it should be, and those that each get one thing wrong.

import type {
  V1Container,
  V1Deployment,
  V1EnvVar,
  V1PodDisruptionBudget,
  V1Probe,
  V1Service,
} from "@kubernetes/client-node";

export interface Manifest {
  readonly name: string;
  /** What is wrong with it; what is right, of the good one. */
  readonly about: string;
  /** What to learn from it. */
  readonly lesson: string;
  readonly isWellWritten: boolean;
  /** What differs from the good one. */
  readonly env?: Readonly<Record<string, string>>;
  readonly readinessProbe?: V1Probe | null;
  readonly livenessProbe?: V1Probe;
  readonly lifecycle?: V1Container["lifecycle"] | null;
  readonly graceSeconds?: number;
}

export const replicas = 4;
export const serverPort = 8080;

export const wellWritten: Manifest = {
  name: "well-written",
  about:
    "honest readiness probe, preStop that waits until nobody comes any more, TERM that finishes what is in hand, enough grace",
  lesson: "nothing that is planned costs a request",
  isWellWritten: true,
};

export const badlyWritten: readonly Manifest[] = [
  {
    name: "no-readiness-probe",
    about: "no readiness probe: the Pod is Ready as soon as its container runs",
    lesson: "a readiness probe holds connections back until the server listens",
    isWellWritten: false,
    readinessProbe: null,
  },
  {
    name: "exits-at-term",
    about: "no preStop hook, and the server exits at TERM at once",
    lesson: "wait in preStop until routes have changed, and finish at TERM what is in hand",
    isWellWritten: false,
    env: { ON_TERM: "exit" },
    lifecycle: null,
  },
  {
    name: "ignores-term",
    about: "the server ignores TERM until KILL comes, after a grace that is shorter than its longest request",
    lesson: "handle TERM, and give more grace than the longest request takes",
    isWellWritten: false,
    env: { ON_TERM: "ignore" },
    lifecycle: null,
    graceSeconds: 2,
  },
  {
    name: "closes-too-early",
    about: "preStop closes the listener at once, before the Pod is taken out of the Service",
    lesson: "go on accepting in preStop: routes change a little later than the Pod",
    isWellWritten: false,
    lifecycle: { preStop: { httpGet: { path: "/close", port: serverPort } } },
  },
  {
    name: "readiness-lies",
    about: "the readiness path answers 200 while the server still loads and answers 503 to everybody else",
    lesson: "a readiness path has to ask what the real paths need",
    isWellWritten: false,
    env: { LISTENS_EARLY: "true", READINESS: "always" },
  },
  {
    name: "liveness-too-eager",
    about:
      "a server that stands still for 1.5 s now and then, with a liveness probe that gives up after one second, once",
    lesson: "liveness is for what only a restart can heal: let it fail several times, over longer than any pause",
    isWellWritten: false,
    env: { STALL_EVERY_MS: "9000", STALL_MS: "1500" },
    livenessProbe: {
      httpGet: { path: "/alive", port: serverPort },
      periodSeconds: 1,
      timeoutSeconds: 1,
      failureThreshold: 1,
    },
  },
];

/** How the server is started by the runtime at hand. */
export interface Launch {
  readonly image: string;
  readonly command: readonly string[];
  /** The machine's files, where the container does not see them anyway. */
  readonly hostFilesAt?: string;
}

export function deploymentOf(manifest: Manifest, launch: Launch, warmUpMillis: number): V1Deployment {
  const field = (name: string, fieldPath: string): V1EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const env = { VERSION: "1", WARM_UP_MS: String(warmUpMillis), ...manifest.env };
  const readinessProbe: V1Probe | null =
    manifest.readinessProbe === undefined
      ? { httpGet: { path: "/ready", port: serverPort }, periodSeconds: 1 }
      : manifest.readinessProbe;
  const lifecycle = manifest.lifecycle === undefined ? { preStop: { sleep: { seconds: 5 } } } : manifest.lifecycle;
  const container: V1Container = {
    name: "web",
    image: launch.image,
    command: [...launch.command],
    env: [
      field("POD", "metadata.name"),
      field("POD_IP", "status.podIP"),
      ...Object.entries(env).map(([name, value]) => ({ name, value })),
    ],
    ports: [{ name: "http", containerPort: serverPort }],
    ...(readinessProbe !== null && { readinessProbe }),
    ...(manifest.livenessProbe !== undefined && { livenessProbe: manifest.livenessProbe }),
    ...(lifecycle !== null && { lifecycle }),
    ...(launch.hostFilesAt !== undefined && {
      volumeMounts: [{ name: "machine", mountPath: launch.hostFilesAt, readOnly: true }],
    }),
  };
  return {
    metadata: { name: "web" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          terminationGracePeriodSeconds: manifest.graceSeconds ?? 30,
          containers: [container],
          ...(launch.hostFilesAt !== undefined && { volumes: [{ name: "machine", hostPath: { path: "/" } }] }),
        },
      },
    },
  };
}

export const service: V1Service = {
  metadata: { name: "web" },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: serverPort, targetPort: serverPort }] },
};

export const budget: V1PodDisruptionBudget = {
  metadata: { name: "web" },
  spec: { maxUnavailable: 1, selector: { matchLabels: { app: "web" } } },
};
