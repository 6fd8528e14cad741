import { describe, expect, it } from "vitest";
import { aContainer, aPod, sidecar } from "../../test/fakes/kubelet-pods.ts";
import type { Container, Pod, PodSpec } from "../api/generated/core-v1.ts";
import type { ContainerId, ImageStatus } from "../runtimes/runtime-service.ts";
import { containerConfig, sandboxConfig } from "./container-config.ts";
import { definitionChanged, recordedContainer } from "./container-labels.ts";
import {
  containerResources,
  cpuQuota,
  cpuShares,
  oomScoreAdjustment,
  unenforcedLimits,
} from "./container-resources.ts";
import { podDns, parseResolverFile } from "./dns-config.ts";
import { hostNetworkHostsFile, podHostsFile } from "./hosts-file.ts";
import { podHostname } from "./hostname.ts";
import { decideImage, imageReference } from "./image-policy.ts";
import { planVolumeMounts } from "./mounts.ts";
import { pullCredentials } from "./pull-credentials.ts";
import { containerSecurityContext, verifyRunsAsNonRoot } from "./security-context.ts";

const gibibyte = 1024 ** 3;

describe("resources for the kernel", () => {
  it.each([
    [0, 2],
    [1, 2],
    [100, 102],
    [1000, 1024],
    [1_000_000, 262_144],
  ])("%d millicores are %d shares", (milli, shares) => expect(cpuShares(milli)).toBe(shares));

  it.each([
    [1, 1000],
    [500, 50_000],
    [2000, 200_000],
  ])("a limit of %d millicores is a quota of %d", (milli, quota) => expect(cpuQuota(milli)).toBe(quota));

  it.each<[string, Container["resources"], object]>([
    ["nothing asked: the fewest shares, no quota, no limit", {}, { cpuShares: 2, cpuQuota: 0 }],
    ["a limit alone also gives the shares", { limits: { cpu: "1" } }, { cpuShares: 1024, cpuQuota: 100_000 }],
    [
      "request and limit",
      { requests: { cpu: "250m" }, limits: { cpu: "1", memory: "64Mi" } },
      { cpuShares: 256, cpuQuota: 100_000, memoryLimitInBytes: 67_108_864 },
    ],
  ])("%s", (_rule, resources, want) => {
    expect(containerResources(aPod(), aContainer({ name: "c", resources }), gibibyte)).toMatchObject({
      cpuPeriod: 100_000,
      ...want,
    });
  });

  const memory = (request: string) => ({ resources: { requests: { memory: request } } });
  it.each<[string, Pod, Container, number]>([
    ["a node-critical Pod", aPod({ spec: { priority: 2_000_001_000 } }), aContainer("c"), -997],
    ["a Guaranteed Pod", aPod({ status: { qosClass: "Guaranteed" } }), aContainer("c"), -997],
    ["a BestEffort Pod", aPod(), aContainer("c"), 1000],
    [
      "half of the node's memory",
      aPod({ status: { qosClass: "Burstable" } }),
      aContainer({ name: "c", ...memory("512Mi") }),
      500,
    ],
    ["next to nothing", aPod({ status: { qosClass: "Burstable" } }), aContainer("c"), 999],
    [
      "all of the node's memory",
      aPod({ status: { qosClass: "Burstable" } }),
      aContainer({ name: "c", ...memory("1Gi") }),
      3,
    ],
    [
      "a sidecar dies no sooner than the container it serves",
      aPod({
        status: { qosClass: "Burstable" },
        containers: [{ name: "c", ...memory("512Mi") }],
        initContainers: [sidecar("s")],
      }),
      aContainer(sidecar("s")),
      500,
    ],
  ])("the score of %s", (_rule, pod, container, want) =>
    expect(oomScoreAdjustment(pod, container, gibibyte)).toBe(want),
  );
});

describe("limits that a runtime does not enforce", () => {
  it.each<[string, Container["resources"], string | undefined]>([
    ["none asked for: nothing to say", { requests: { cpu: "1" } }, undefined],
    ["local storage is another matter", { limits: { "ephemeral-storage": "1Gi" } }, undefined],
    [
      "cpu and memory are named with what would help",
      { limits: { cpu: "250m", memory: "64Mi" } },
      "Container app has a limit of cpu 250m and memory 64Mi that the process runtime does not enforce; the containerd runtime does",
    ],
  ])("%s", (_rule, resources, want) => {
    expect(unenforcedLimits(aContainer({ name: "app", resources }), "process")).toBe(want);
  });
});

describe("who a container runs as", () => {
  const image = (more: Partial<ImageStatus>): ImageStatus => ({
    id: "sha256:1",
    repoTags: [],
    repoDigests: [],
    sizeBytes: 1,
    ...more,
  });
  it.each<[string, Container["securityContext"], PodSpec["securityContext"], ImageStatus | undefined, object]>([
    ["the image's number", undefined, {}, image({ uid: 7 }), { runAsUser: 7 }],
    ["the image's name", undefined, {}, image({ username: "web" }), { runAsUsername: "web" }],
    ["the Pod's user", undefined, { runAsUser: 5, runAsGroup: 6 }, image({ uid: 7 }), { runAsUser: 5, runAsGroup: 6 }],
    ["its own user", { runAsUser: 4 }, { runAsUser: 5 }, image({ uid: 7 }), { runAsUser: 4 }],
  ])("is %s", (_rule, own, ofPod, status, want) => {
    const container = aContainer({ name: "c", ...(own === undefined ? {} : { securityContext: own }) });
    expect(
      containerSecurityContext(aPod({ spec: { securityContext: ofPod } }), container, status, undefined),
    ).toMatchObject(want);
  });

  it.each<[string, Container["securityContext"], ImageStatus | undefined, string | undefined]>([
    ["a user that is not root", { runAsNonRoot: true, runAsUser: 5 }, undefined, undefined],
    ["an image that is not root's", { runAsNonRoot: true }, image({ uid: 7 }), undefined],
    [
      "an image that names no user",
      { runAsNonRoot: true },
      image({}),
      'container has runAsNonRoot and image will run as root (pod: "web_default(uid-1)", container: c)',
    ],
    [
      "user 0",
      { runAsNonRoot: true, runAsUser: 0 },
      undefined,
      'container\'s runAsUser breaks non-root policy (pod: "web_default(uid-1)", container: c)',
    ],
    [
      "root's image",
      { runAsNonRoot: true },
      image({ uid: 0 }),
      'container has runAsNonRoot and image will run as root (pod: "web_default(uid-1)", container: c)',
    ],
    [
      "a name",
      { runAsNonRoot: true },
      image({ username: "web" }),
      'container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root (pod: "web_default(uid-1)", container: c)',
    ],
  ])("runAsNonRoot with %s", (_rule, securityContext, status, message) => {
    const complaint = (): string => {
      try {
        verifyRunsAsNonRoot(
          aPod(),
          aContainer({ name: "c", ...(securityContext === undefined ? {} : { securityContext }) }),
          status,
        );
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(complaint()).toBe(message ?? "none");
  });

  it.each<[string, Partial<Pod["spec"]>, object]>([
    ["its own processes", {}, { network: "POD", ipc: "POD", pid: "CONTAINER" }],
    ["the Pod's processes", { shareProcessNamespace: true }, { network: "POD", ipc: "POD", pid: "POD" }],
    ["the node's processes", { hostPID: true }, { network: "POD", ipc: "POD", pid: "NODE" }],
    ["the node's IPC", { hostIPC: true }, { network: "POD", ipc: "NODE", pid: "CONTAINER" }],
    ["the node's network", { hostNetwork: true }, { network: "NODE", ipc: "POD", pid: "CONTAINER" }],
  ])("sees %s", (_, spec, want) => {
    expect(containerSecurityContext(aPod({ spec }), aContainer("c"), undefined, undefined).namespaceOptions).toEqual(
      want,
    );
  });

  it("joins the processes of an ephemeral container's target", () => {
    const context = containerSecurityContext(aPod(), aContainer("c"), undefined, "t" as ContainerId);
    expect(context.namespaceOptions).toEqual({ network: "POD", ipc: "POD", pid: "TARGET", targetId: "t" });
  });

  it("hides nothing from a privileged container", () => {
    const masked = (privileged: boolean) =>
      containerSecurityContext(aPod(), aContainer({ name: "c", securityContext: { privileged } }), undefined, undefined)
        .maskedPaths?.length;
    expect([masked(true), masked(false)]).toEqual([0, 11]);
  });
});

describe("mounts", () => {
  const volumes = new Map([
    ["data", { hostPath: "/v/data", readonly: false, makesSubPaths: true }],
    ["settings", { hostPath: "/v/settings", readonly: true, makesSubPaths: false }],
  ]);
  const plan = (mount: NonNullable<Container["volumeMounts"]>[number]) =>
    planVolumeMounts(aContainer({ name: "c", volumeMounts: [mount] }), volumes, [{ key: "POD", value: "web" }])[0]
      ?.mount;
  it.each<[string, NonNullable<Container["volumeMounts"]>[number], object]>([
    [
      "a whole volume",
      { name: "data", mountPath: "/data" },
      { containerPath: "/data", hostPath: "/v/data", readonly: false, propagation: "None" },
    ],
    ["read-only where asked", { name: "data", mountPath: "/data", readOnly: true }, { readonly: true }],
    ["read-only where the kubelet makes the contents", { name: "settings", mountPath: "/s" }, { readonly: true }],
    ["a sub path", { name: "data", mountPath: "/data", subPath: "a/b" }, { hostPath: "/v/data/a/b" }],
    [
      "an expanded sub path",
      { name: "data", mountPath: "/data", subPathExpr: "$(POD)/x" },
      { hostPath: "/v/data/web/x" },
    ],
    [
      "propagation as asked",
      { name: "data", mountPath: "/data", mountPropagation: "HostToContainer" },
      { propagation: "HostToContainer" },
    ],
    ["a relative path, from the root", { name: "data", mountPath: "data" }, { containerPath: "/data" }],
  ])("%s", (_rule, mount, want) => expect(plan(mount)).toMatchObject(want));

  it.each<[string, NonNullable<Container["volumeMounts"]>[number], string]>([
    ["an unknown volume", { name: "no", mountPath: "/x" }, 'cannot find volume "no"'],
    ["a way out of the volume", { name: "data", mountPath: "/x", subPath: "../etc" }, "must not contain '..'"],
    ["an absolute sub path", { name: "data", mountPath: "/x", subPath: "/etc" }, "must not be an absolute path"],
    ["a variable without a value", { name: "data", mountPath: "/x", subPathExpr: "$(NO)" }, "missing value for NO"],
  ])("refuse %s", (_rule, mount, message) => expect(() => plan(mount)).toThrow(message));
});

describe("names", () => {
  it.each<[string, Partial<PodSpec>, string, { hostname: string; domain: string; kernelHostname: string }]>([
    ["the Pod's name", {}, "web", { hostname: "web", domain: "", kernelHostname: "web" }],
    ["the given hostname", { hostname: "db" }, "web", { hostname: "db", domain: "", kernelHostname: "db" }],
    [
      "63 characters at most, without a dash at the end",
      {},
      `${"a".repeat(62)}-b`,
      { hostname: "a".repeat(62), domain: "", kernelHostname: "a".repeat(62) },
    ],
    [
      "a domain with a subdomain",
      { subdomain: "shop" },
      "web",
      { hostname: "web", domain: "shop.default.svc.cluster.local", kernelHostname: "web" },
    ],
    [
      "the full name for the kernel",
      { subdomain: "shop", setHostnameAsFQDN: true },
      "web",
      {
        hostname: "web",
        domain: "shop.default.svc.cluster.local",
        kernelHostname: "web.shop.default.svc.cluster.local",
      },
    ],
    [
      "the node's on its network",
      { hostNetwork: true },
      "web",
      { hostname: "node-a", domain: "", kernelHostname: "node-a" },
    ],
  ])("%s", (_rule, spec, name, want) => {
    expect(podHostname(aPod({ spec, metadata: { name } }), "cluster.local", "node-a")).toEqual(want);
  });

  it("that are too long for the kernel are refused", () => {
    const pod = aPod({ spec: { subdomain: "s".repeat(40), setHostnameAsFQDN: true } });
    expect(() => podHostname(pod, "cluster.local", "n")).toThrow(
      "is too long (64 characters is the max, 70 characters requested)",
    );
  });

  it("are in the hosts file with the Pod's addresses and aliases", () => {
    const text = podHostsFile(
      ["10.0.0.5"],
      { hostname: "web", domain: "shop.default.svc.cluster.local", kernelHostname: "web" },
      [{ ip: "1.2.3.4", hostnames: ["a", "b"] }],
    );
    expect(text.split("\n")).toEqual([
      "# Kubernetes-managed hosts file.",
      "127.0.0.1\tlocalhost",
      "::1\tlocalhost ip6-localhost ip6-loopback",
      "fe00::0\tip6-localnet",
      "fe00::0\tip6-mcastprefix",
      "fe00::1\tip6-allnodes",
      "fe00::2\tip6-allrouters",
      "10.0.0.5\tweb.shop.default.svc.cluster.local\tweb",
      "",
      "# Entries added by HostAliases.",
      "1.2.3.4\ta\tb",
      "",
    ]);
    expect(hostNetworkHostsFile("127.0.0.1 localhost\n", [])).toBe(
      "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n",
    );
  });
});

describe("DNS", () => {
  const node = parseResolverFile("# mine\nnameserver 1.1.1.1\nsearch example.com.\noptions timeout:2\n");
  const dnsOf = (spec: Partial<PodSpec>, clusterDns: readonly string[] = ["10.96.0.10"]) =>
    podDns(aPod({ spec }), { node, clusterDns, clusterDomain: "cluster.local" });
  it.each<[string, Partial<PodSpec>, object]>([
    [
      "ClusterFirst",
      {},
      {
        servers: ["10.96.0.10"],
        searches: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com"],
        options: ["ndots:5"],
      },
    ],
    ["Default", { dnsPolicy: "Default" }, { servers: ["1.1.1.1"], searches: ["example.com"], options: ["timeout:2"] }],
    ["ClusterFirst on the node's network", { hostNetwork: true }, { servers: ["1.1.1.1"] }],
    [
      "ClusterFirstWithHostNet",
      { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true },
      { servers: ["10.96.0.10"] },
    ],
    [
      "None",
      { dnsPolicy: "None", dnsConfig: { nameservers: ["9.9.9.9"] } },
      { servers: ["9.9.9.9"], searches: [], options: [] },
    ],
    [
      "own additions",
      {
        dnsConfig: {
          nameservers: ["9.9.9.9"],
          searches: ["cluster.local", "own"],
          options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
        },
      },
      {
        servers: ["10.96.0.10", "9.9.9.9"],
        searches: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com", "own"],
        options: ["ndots:2", "edns0"],
      },
    ],
  ])("%s", (_rule, spec, want) => expect(dnsOf(spec)).toMatchObject({ ...want, warnings: [] }));

  it("falls back to the node's without a cluster DNS, and says so", () => {
    expect(dnsOf({}, [])).toMatchObject({ servers: ["1.1.1.1"], warnings: [{ reason: "MissingClusterDNS" }] });
  });

  it("keeps three servers and says which", () => {
    const dns = dnsOf({ dnsConfig: { nameservers: ["1.0.0.1", "1.0.0.2", "1.0.0.3"] } });
    expect(dns.servers).toEqual(["10.96.0.10", "1.0.0.1", "1.0.0.2"]);
    expect(dns.warnings[0]?.message).toContain("the applied nameserver line is: 10.96.0.10 1.0.0.1 1.0.0.2");
  });
});

describe("images", () => {
  it.each([
    ["Always", true, "pull"],
    ["Always", false, "pull"],
    ["IfNotPresent", true, "usePresent"],
    ["IfNotPresent", false, "pull"],
    ["Never", true, "usePresent"],
    ["Never", false, "neverPull"],
  ] as const)("with %s, present: %s: %s", (policy, present, want) =>
    expect(decideImage(policy, present).kind).toBe(want),
  );

  it.each([
    ["nginx", "nginx:latest"],
    ["nginx:1.27", "nginx:1.27"],
    ["localhost:5000/a/b", "localhost:5000/a/b:latest"],
    [`busybox@sha256:${"0".repeat(64)}`, `busybox@sha256:${"0".repeat(64)}`],
  ])("%s is asked for as %s", (image, name) => expect(imageReference(image)).toEqual({ kind: "reference", name }));

  it.each([
    ["NGINX", 'couldn\'t parse image name "NGINX": repository name must be lowercase'],
    ["a b", 'couldn\'t parse image name "a b": invalid reference format'],
    ["a:b:c", 'couldn\'t parse image name "a:b:c": invalid reference format'],
  ])("%s is no image", (image, why) => expect(imageReference(image)).toEqual({ kind: "invalid", why }));

  const auth = (username: string) => ({ username, password: "p" });
  it.each<[string, string, Readonly<Record<string, object>>, readonly string[]]>([
    ["Docker Hub by its old name", "nginx:1", { "https://index.docker.io/v1/": auth("hub") }, ["hub"]],
    [
      "the registry's own",
      "reg.example.com/a/b:1",
      { "reg.example.com": auth("r"), "other.example.com": auth("o") },
      ["r"],
    ],
    [
      "the most specific path first",
      "reg.example.com/a/b:1",
      { "reg.example.com": auth("all"), "reg.example.com/a": auth("a") },
      ["a", "all"],
    ],
    ["by pattern", "eu.example.com/a:1", { "*.example.com": auth("any") }, ["any"]],
    ["none that fits", "quay.io/a:1", { "reg.example.com": auth("r") }, []],
    ["user and password in one", "reg.example.com/a:1", { "reg.example.com": { auth: btoa("me:secret") } }, ["me"]],
  ])("credentials: %s", (_rule, image, config, want) => {
    expect(pullCredentials(image, [config]).map(({ username }) => username)).toEqual(want);
  });
});

describe("what the runtime is told", () => {
  it("names a container so that it is known again", () => {
    const spec = aContainer({
      name: "c",
      command: ["run", "$(A)"],
      lifecycle: { preStop: { sleep: { seconds: 3 } } },
      ports: [{ containerPort: 80, protocol: "TCP" }],
    });
    const config = containerConfig(aPod(), spec, {
      restartCount: 2,
      imageRef: "sha256:1",
      image: undefined,
      variables: [{ key: "A", value: "x" }],
      mounts: [],
      nodeMemoryBytes: gibibyte,
    });
    expect(config).toMatchObject({
      metadata: { name: "c", attempt: 2 },
      command: ["run", "x"],
      logPath: "c/2.log",
      labels: { "io.kubernetes.pod.uid": "uid-1", "io.kubernetes.container.name": "c" },
    });
    const instance = { annotations: config.annotations } as Parameters<typeof recordedContainer>[0];
    expect(recordedContainer(instance)).toEqual({
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      terminationGracePeriodSeconds: 30,
      lifecycle: { preStop: { sleep: { seconds: 3 } } },
      ports: [{ containerPort: 80, protocol: "TCP" }],
    });
    expect([definitionChanged(spec, instance), definitionChanged({ ...spec, image: "image:2" }, instance)]).toEqual([
      false,
      true,
    ]);
  });

  it("gives a container the rights that were asked for", () => {
    const rights = (securityContext: NonNullable<Container["securityContext"]>) =>
      containerSecurityContext(aPod(), aContainer({ name: "c", securityContext }), undefined, undefined);
    expect(
      rights({
        capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      }),
    ).toMatchObject({
      capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
      noNewPrivileges: true,
      readonlyRootfs: true,
      privileged: false,
    });
    expect(rights({})).toMatchObject({ noNewPrivileges: false, readonlyRootfs: false, privileged: false });
    expect(rights({})).not.toHaveProperty("capabilities");
  });

  it("gives the sandbox its names, ports and DNS", () => {
    const pod = aPod({
      containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 8080, protocol: "TCP" }] }],
      metadata: { labels: { app: "shop" } },
    });
    const config = sandboxConfig(pod, {
      attempt: 1,
      hostname: podHostname(pod, "cluster.local", "n"),
      logDirectory: "/logs",
      dns: { servers: ["1.1.1.1"], searches: [], options: [] },
    });
    expect(config).toMatchObject({
      metadata: { name: "web", namespace: "default", uid: "uid-1", attempt: 1 },
      hostname: "web",
      portMappings: [{ containerPort: 80, hostPort: 8080, protocol: "TCP" }],
      labels: { app: "shop", "io.kubernetes.pod.name": "web" },
      dns: { servers: ["1.1.1.1"] },
    });
  });
});
