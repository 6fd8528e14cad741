import { describe, expect, it } from "vitest";
import type { ContainerConfig, Mount, PodSandboxConfig } from "../runtime-service.ts";
import { RuntimeUnsupportedError } from "../runtime-service.ts";
import { commandLineOf, planMounts, refuseUnsupportedContainer, refuseUnsupportedSandbox } from "./requirements.ts";
import { accountOf, privilegeChange } from "./user-account.ts";

const root = { uid: 0, gid: 0 };
const user = { uid: 1000, gid: 1000 };
const namespaceOptions = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const;

function config(change: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    metadata: { name: "web", attempt: 0 },
    imageRef: "nginx:1",
    userSpecifiedImage: "nginx:1",
    command: ["run"],
    args: [],
    workingDir: "",
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: "web/0.log",
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: {},
    securityContext: { namespaceOptions },
    ...change,
  };
}

const secured = (security: Partial<ContainerConfig["securityContext"]>): ContainerConfig =>
  config({ securityContext: { namespaceOptions, ...security } });

const mount = (containerPath: string, hostPath: string, change: Partial<Mount> = {}): Mount => ({
  containerPath,
  hostPath,
  readonly: false,
  propagation: "None",
  ...change,
});

function sandbox(change: Partial<PodSandboxConfig>): PodSandboxConfig {
  return {
    metadata: { name: "web", namespace: "default", uid: "1", attempt: 0 },
    hostname: "web",
    logDirectory: "/logs",
    portMappings: [],
    labels: {},
    annotations: {},
    securityContext: { namespaceOptions },
    ...change,
  };
}

describe("what a process cannot have", () => {
  it.each<[string, ContainerConfig, typeof root, RegExp]>([
    [
      "a terminal",
      config({ tty: true }),
      root,
      /^tty: .*leave it out \(kubectl run -i or debug -i, not -it\), or run the Pod on a container runtime/,
    ],
    [
      "a seccomp profile of its own",
      secured({ seccomp: { profileType: "Localhost" } }),
      root,
      /seccompProfile.*RuntimeDefault/,
    ],
    [
      "a read-only root without root",
      secured({ readonlyRootfs: true }),
      user,
      /readOnlyRootFilesystem.*run lifepod as root/,
    ],
    [
      "capabilities without root",
      secured({ capabilities: { add: ["NET_ADMIN"], drop: [] } }),
      user,
      /capabilities\.add/,
    ],
    ["privileges without root", secured({ privileged: true }), user, /privileged/],
  ])("%s is refused by name, with a way out", (_what, container, privileges, text) => {
    expect(() => refuseUnsupportedContainer(container, privileges)).toThrow(text);
    expect(() => refuseUnsupportedContainer(container, privileges)).toThrow(RuntimeUnsupportedError);
  });

  it("leaves the rest alone", () => {
    const powerful = secured({ privileged: true, readonlyRootfs: true });
    expect(() => refuseUnsupportedContainer(powerful, root)).not.toThrow();
    const modest = secured({ capabilities: { add: [], drop: ["ALL"] }, noNewPrivileges: true });
    expect(() => refuseUnsupportedContainer(modest, user)).not.toThrow();
  });

  it("refuses a host port that is not the container's own, and settings of the kernel", () => {
    const port = { protocol: "TCP", containerPort: 8080, hostPort: 80 } as const;
    expect(() => refuseUnsupportedSandbox(sandbox({ portMappings: [port] }))).toThrow(
      /^hostPort 80 for containerPort 8080: .*use the same number for both/,
    );
    refuseUnsupportedSandbox(
      sandbox({
        portMappings: [
          { ...port, hostPort: 8080 },
          { ...port, hostPort: 0 },
        ],
      }),
    );
    expect(() => refuseUnsupportedSandbox(sandbox({ sysctls: { "net.a": "1" } }))).toThrow(/^sysctls \(net\.a\)/);
  });
});

describe("mounts", () => {
  it("are made from the outside in, for root", () => {
    const mounts = [mount("/a/b/c", "/3"), mount("/a", "/1"), mount("/a/b", "/2"), mount("/same", "/same")];
    expect(planMounts(config({ mounts }), root).mounts.map((planned) => planned.hostPath)).toEqual(["/1", "/2", "/3"]);
  });

  it("of a folder at its own path need nothing, unless it is to be read only", () => {
    expect(planMounts(config({ mounts: [mount("/same", "/same")] }), user).mounts).toEqual([]);
    const readonly = [mount("/same", "/same", { readonly: true })];
    expect(() => planMounts(config({ mounts: readonly }), user)).toThrow("volume at mountPath /same");
  });

  it("are refused without root, apart from the termination message, whose place is told instead", () => {
    expect(() => planMounts(config({ mounts: [mount("/data", "/pods/data")] }), user)).toThrow(
      /^volume at mountPath \/data: only root can mount .*hostPath volume with mountPath equal to its path/,
    );
    const messages = (containerPath: string, annotations = {}) =>
      planMounts(config({ annotations, mounts: [mount(containerPath, "/pods/message")] }), user);
    const told = { mounts: [], environment: [{ key: "LIFEPOD_TERMINATION_LOG", value: "/pods/message" }] };
    expect(messages("/dev/termination-log")).toEqual(told);
    expect(messages("/my/log", { "io.kubernetes.container.terminationMessagePath": "/my/log" })).toEqual(told);
  });

  it("cannot reach the node", () => {
    const mounts = [mount("/a", "/b", { propagation: "Bidirectional" })];
    expect(() => planMounts(config({ mounts }), root)).toThrow(/^mountPropagation Bidirectional of \/a/);
  });
});

describe("the command line", () => {
  it("is command and args, or what the image stands for and args", () => {
    const images = { nginx: ["/usr/sbin/nginx", "-g"], "nginx:2": ["other"] };
    expect(commandLineOf(config({ command: ["a"], args: ["b"] }), images)).toEqual(["a", "b"]);
    expect(commandLineOf(config({ command: [], args: ["daemon off;"] }), images)).toEqual([
      "/usr/sbin/nginx",
      "-g",
      "daemon off;",
    ]);
    expect(commandLineOf(config({ command: [], userSpecifiedImage: "nginx:2" }), images)).toEqual(["other"]);
  });

  it.each<[rule: string, image: string]>([
    ["without a tag", "busybox"],
    ["with a tag", "busybox:1.36"],
    ["with its registry and a digest", "docker.io/library/alpine@sha256:aa"],
  ])("is the arguments for an image that brings only a system: %s", (_rule, userSpecifiedImage) => {
    expect(commandLineOf(config({ command: [], args: ["sh", "-c", "true"], userSpecifiedImage }), {})).toEqual([
      "sh",
      "-c",
      "true",
    ]);
    expect(() => commandLineOf(config({ command: [], args: [], userSpecifiedImage }), {})).toThrow(/has no command/);
  });

  it("is missed with a helpful text", () => {
    expect(() => commandLineOf(config({ command: [] }), {})).toThrow(
      'container "web" has no command, and image "nginx:1" is not pulled, because containers run as processes of this machine; set "command" to a program that is installed here, say what the image stands for (--image nginx=COMMAND), or run the Pod on a container runtime (--runtime containerd)',
    );
  });
});

describe("users", () => {
  const words = (security: Partial<ContainerConfig["securityContext"]>, privileges = root): readonly string[] => {
    const full = { namespaceOptions, ...security };
    return privilegeChange(accountOf(full, privileges), full, privileges);
  };

  it.each<[string, Parameters<typeof words>[0], readonly string[]]>([
    ["nothing", {}, []],
    ["root as root", { runAsUser: 0, runAsGroup: 0 }, []],
    ["a user", { runAsUser: 5, runAsGroup: 6 }, ["--reuid", "5", "--regid", "6", "--clear-groups"]],
    ["a user without an entry in the group of root", { runAsUser: 54321 }, ["--reuid", "54321", "--clear-groups"]],
    ["groups", { supplementalGroups: [7, 8] }, ["--groups", "7,8"]],
    ["no new privileges", { noNewPrivileges: true }, ["--no-new-privs"]],
    [
      "fewer capabilities",
      { capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] } },
      ["--bounding-set", "-all,+net_bind_service", "--inh-caps", "-all,+net_bind_service"],
    ],
    ["capabilities that it has anyway", { capabilities: { add: ["CAP_NET_ADMIN"], drop: [] } }, []],
  ])("asking for %s", (_what, security, wanted) => {
    expect(words(security)).toEqual(wanted.length === 0 ? [] : ["setpriv", ...wanted, "--"]);
  });

  it("are looked up by name", () => {
    expect(accountOf({ namespaceOptions, runAsUsername: "root" }, root)).toMatchObject({
      uid: 0,
      gid: 0,
      home: "/root",
    });
    expect(() => accountOf({ namespaceOptions, runAsUsername: "no-such-user" }, root)).toThrow("unable to find user");
  });

  it("other than one's own are refused without root", () => {
    expect(accountOf({ namespaceOptions, runAsUser: 1000 }, user)).toMatchObject({ uid: 1000, gid: 1000 });
    expect(() => accountOf({ namespaceOptions, runAsUser: 5 }, user)).toThrow(/only root can become another user/);
    expect(() => accountOf({ namespaceOptions, supplementalGroups: [5] }, user)).toThrow(/and groups 5/);
  });
});
