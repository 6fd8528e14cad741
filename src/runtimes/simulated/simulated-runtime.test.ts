import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../base/random.ts";
import type { Millis } from "../../base/time.ts";
import { hours, millis, minutes, seconds } from "../../base/time.ts";
import { AddressRange } from "../../network/ipam.ts";
import { SimulatedNetwork } from "../../network/simulated/simulated-network.ts";
import { VirtualClock, virtualEpoch } from "../../simulation/virtual-clock.ts";
import type { ContainerConfig, ContainerId, PodSandboxConfig, RuntimeEvent, SandboxId } from "../runtime-service.ts";
import type { ImageBehaviour } from "./behaviour.ts";
import { MemoryFilesystem } from "./memory-filesystem.ts";
import type { SimulatedRuntimeOptions } from "./simulated-runtime.ts";
import { createSimulatedRuntime } from "./simulated-runtime.ts";

const sandboxConfig: PodSandboxConfig = {
  metadata: { name: "web", namespace: "default", uid: "1", attempt: 0 },
  hostname: "web",
  logDirectory: "/logs/web",
  portMappings: [],
  labels: {},
  annotations: {},
  securityContext: { namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" } },
};

const containerConfig = (attempt: number): ContainerConfig => ({
  metadata: { name: "app", attempt },
  imageRef: "app:1",
  userSpecifiedImage: "app:1",
  command: [],
  args: [],
  workingDir: "",
  envs: [],
  mounts: [],
  labels: {},
  annotations: {},
  logPath: `app/${attempt}.log`,
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: {},
  securityContext: { namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" } },
});

/** A machine with one image, `app:1`. */
function machineWith(behaviour: ImageBehaviour, options: Partial<SimulatedRuntimeOptions> = {}) {
  const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  const network = new SimulatedNetwork(clock);
  const files = new MemoryFilesystem();
  const simulated = createSimulatedRuntime({
    clock,
    network,
    files,
    random: new SeededRandom(7),
    addresses: new AddressRange("10.244.0.0/24"),
    images: { "app:1": { present: true, ...behaviour } },
    ...options,
  });
  const launch = async (attempt = 0, inSandbox?: SandboxId): Promise<{ id: ContainerId; sandbox: SandboxId }> => {
    const sandbox = inSandbox ?? (await simulated.runtime.runPodSandbox(sandboxConfig));
    const id = await simulated.runtime.createContainer(sandbox, containerConfig(attempt), sandboxConfig);
    await simulated.runtime.startContainer(id);
    return { id, sandbox };
  };
  const stateOf = async (id: ContainerId) => (await simulated.runtime.containerStatus(id)).state;
  return { clock, network, files, simulated, runtime: simulated.runtime, launch, stateOf };
}

const httpGet = (path: string) => ({
  scheme: "http" as const,
  host: "10.244.0.2",
  port: 80,
  path,
  headers: [],
  timeout: seconds(1),
  bodyLimit: 100,
  followRedirects: true,
});

describe("a container's end", () => {
  it("comes by itself after its time, with the exit code of its turn", async () => {
    const { clock, launch, stateOf } = machineWith({ runsFor: seconds(2), exitsByTurn: [3, 4, 0] });
    const codes = [];
    for (const turn of [0, 1, 2, 3]) {
      const { id } = await launch(turn);
      await clock.advance(millis(1999));
      expect((await stateOf(id)).kind).toBe("running");
      await clock.advance(millis(1));
      const state = await stateOf(id);
      codes.push(state.kind === "exited" && [state.exitCode, state.finishedAt - state.startedAt]);
    }
    expect(codes).toEqual([
      [3, 2000],
      [4, 2000],
      [0, 2000],
      [0, 2000],
    ]);
  });

  it("takes its time after TERM, and brings its last words", async () => {
    const { clock, runtime, files, stateOf, simulated } = machineWith({
      stopsIn: seconds(3),
      exitCodeOnTerm: 0,
      writesTerminationMessage: "drained",
      logsOnTerm: ["draining"],
    });
    await files.writeFile("/message", new Uint8Array(), 0o666);
    const sandbox = await runtime.runPodSandbox(sandboxConfig);
    const mounts = [
      { containerPath: "/dev/termination-log", hostPath: "/message", readonly: false, propagation: "None" as const },
    ];
    const id = await runtime.createContainer(sandbox, { ...containerConfig(0), mounts }, sandboxConfig);
    await simulated.runtime.startContainer(id);
    const stopped = runtime.stopContainer(id, seconds(10));
    await clock.advance(millis(2999));
    expect((await stateOf(id)).kind).toBe("running");
    await clock.advance(millis(1));
    await stopped;
    expect(await stateOf(id)).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(new TextDecoder().decode(await files.readFile("/message"))).toBe("drained");
  });

  it("says nothing last when it is killed", async () => {
    const { runtime, launch, simulated, stateOf } = machineWith({
      writesTerminationMessage: "never",
      logsOnTerm: ["never"],
    });
    const { id } = await launch();
    simulated.faults.killContainer(id, 11);
    expect(await stateOf(id)).toMatchObject({ exitCode: 139, reason: "Error" });
    for await (const _line of runtime.readLog("/logs/web/app/0.log", id, { follow: false })) expect.unreachable();
  });

  it("may come from the lack of memory, which is told first", async () => {
    const { clock, runtime, launch, stateOf } = machineWith({ oomAfter: seconds(1) });
    const events: RuntimeEvent[] = [];
    runtime.subscribe?.({ event: (event) => events.push(event), lost: () => undefined });
    const { id } = await launch();
    await clock.advance(seconds(1));
    expect(await stateOf(id)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    expect(events.map((event) => event.kind)).toEqual(["containerStarted", "containerOutOfMemory", "containerExited"]);
  });
});

describe("probes of a container", () => {
  it("fail before it is ready, and again when it stops being ready", async () => {
    const { clock, network, runtime, launch } = machineWith({
      becomesReadyAfter: seconds(5),
      stopsBeingReadyAfter: seconds(10),
    });
    const { id } = await launch();
    const look = async () => [
      await network.httpGet(httpGet("/")),
      (await network.tcpConnect("10.244.0.2", 80, seconds(1))).kind,
      await network.grpcHealth("10.244.0.2", 80, "", seconds(1)),
      (await runtime.execSync(id, ["check"])).exitCode,
    ];
    const bad = [{ status: 503 }, "failed", { status: "NOT_SERVING" }, 1];
    const good = [{ status: 200 }, "connected", { status: "SERVING" }, 0];
    await clock.advance(millis(4999));
    expect(await look()).toMatchObject(bad);
    await clock.advance(millis(1));
    expect(await look()).toMatchObject(good);
    await clock.advance(seconds(5));
    expect(await look()).toMatchObject(bad);
  });

  it("get the declared answers, by path and over time", async () => {
    const { clock, network, launch } = machineWith({
      answers: {
        http: {
          "/healthz": (sinceStart: Millis) => ({ status: sinceStart < seconds(10) ? 200 : 500 }),
          "/slow": { status: 200, delay: seconds(2) },
        },
        ports: [80],
      },
    });
    await launch();
    expect(await network.httpGet(httpGet("/healthz?verbose"))).toMatchObject({ status: 200 });
    expect(await network.httpGet(httpGet("/other"))).toMatchObject({ status: 404 });
    expect(await network.httpGet({ ...httpGet("/"), port: 81 })).toMatchObject({ kind: "failed" });
    const slow = network.httpGet(httpGet("/slow"));
    await clock.advance(seconds(10));
    expect(await slow).toMatchObject({ kind: "failed" });
    expect(await network.httpGet(httpGet("/healthz"))).toMatchObject({ status: 500 });
  });

  it("are refused when it listens nowhere, and once it has ended", async () => {
    const listening = machineWith({ runsFor: seconds(1) });
    await listening.launch();
    await listening.clock.advance(seconds(1));
    const error = 'Get "http://10.244.0.2:80/": dial tcp 10.244.0.2:80: connect: connection refused';
    expect(await listening.network.httpGet(httpGet("/"))).toEqual({ kind: "failed", error });
    const deaf = machineWith({ answers: {} });
    await deaf.launch();
    expect(await deaf.network.httpGet(httpGet("/"))).toEqual({ kind: "failed", error });
  });

  it("by exec find no command that was not declared", async () => {
    const { runtime, launch } = machineWith({ exec: { "cat /ready": { exitCode: 0, stdout: "yes" } } });
    const { id } = await launch();
    expect((await runtime.execSync(id, ["cat", "/ready"])).exitCode).toBe(0);
    await expect(runtime.execSync(id, ["ls"])).rejects.toThrow('exec: "ls": executable file not found in $PATH');
  });

  it("by exec end with the container", async () => {
    const { clock, runtime, launch, simulated } = machineWith({ exec: { wait: { exitCode: 0, delay: minutes(1) } } });
    const { id } = await launch();
    const result = runtime.execSync(id, ["wait"]);
    await clock.advance(seconds(1));
    simulated.faults.killContainer(id);
    expect((await result).exitCode).toBe(137);
  });
});

describe("images", () => {
  it("take their time to pull and fail as often as declared", async () => {
    const { clock, simulated } = machineWith({
      present: false,
      pullTime: seconds(4),
      pullFails: { times: 1, message: "registry on fire" },
      user: "app",
      sizeBytes: 42,
    });
    const pull = simulated.images
      .pullImage({ image: "app:1" }, [], sandboxConfig)
      .catch((error: Error) => error.message);
    await clock.advance(seconds(4));
    expect(await pull).toBe("registry on fire");
    expect(await simulated.images.imageStatus({ image: "app:1" })).toBeUndefined();
    const again = simulated.images.pullImage({ image: "docker.io/library/app:1" }, [], sandboxConfig);
    await clock.advance(seconds(4));
    const id = await again;
    expect(await simulated.images.imageStatus({ image: id })).toMatchObject({ id, username: "app", sizeBytes: 42 });
    expect(await simulated.images.imageStatus({ image: "app:1" })).toMatchObject({ id });
  });

  it("are not found in the words of a registry", async () => {
    const { simulated } = machineWith({});
    await expect(simulated.images.pullImage({ image: "nope" }, [], sandboxConfig)).rejects.toThrow(
      'failed to pull and unpack image "docker.io/library/nope:latest": failed to resolve reference "docker.io/library/nope:latest": docker.io/library/nope:latest: not found',
    );
    await expect(simulated.images.pullImage({ image: "registry.local:5000/x:2" }, [], sandboxConfig)).rejects.toThrow(
      'image "registry.local:5000/x:2"',
    );
  });

  it("run for ever when they are not declared, if so wished", async () => {
    const { simulated, clock, launch, stateOf } = machineWith({}, { images: {}, unknownImages: "runForEver" });
    await simulated.images.pullImage({ image: "app:1" }, [], sandboxConfig);
    const { id } = await launch();
    await clock.advance(hours(100));
    expect((await stateOf(id)).kind).toBe("running");
  });
});

describe("faults", () => {
  it("make calls fail as often as told, without touching containers", async () => {
    const { runtime, launch, simulated, stateOf } = machineWith({});
    const { id } = await launch();
    simulated.faults.failNext("stopContainer", 2, "no such luck");
    await expect(runtime.stopContainer(id, seconds(1))).rejects.toThrow("no such luck");
    await expect(runtime.stopContainer(id, seconds(1))).rejects.toThrow("no such luck");
    expect((await stateOf(id)).kind).toBe("running");
    await runtime.stopContainer(id, seconds(1));
    expect((await stateOf(id)).kind).toBe("exited");
  });

  it("make calls hang until they are released", async () => {
    const { clock, runtime, simulated } = machineWith({});
    const hang = simulated.faults.hang("version");
    let done = false;
    const call = runtime.version().then(() => {
      done = true;
    });
    await clock.advance(hours(1));
    expect(done).toBe(false);
    hang.release();
    await call;
  });

  it("take the runtime down: calls fail, streams break, containers run on", async () => {
    const { runtime, launch, simulated, stateOf } = machineWith({});
    const { id } = await launch();
    const lost: string[] = [];
    runtime.subscribe?.({ event: () => undefined, lost: (reason) => lost.push(reason) });
    simulated.faults.down();
    expect(lost).toHaveLength(1);
    await expect(runtime.listContainers()).rejects.toThrow("connection refused");
    simulated.faults.up();
    expect((await stateOf(id)).kind).toBe("running");
  });

  it("cut the power: every process is found lost, every sandbox not ready", async () => {
    const { runtime, launch, simulated, stateOf } = machineWith({});
    const { id, sandbox } = await launch();
    simulated.faults.powerLoss();
    simulated.faults.up();
    expect(await stateOf(id)).toMatchObject({ exitCode: 255, reason: "Unknown" });
    expect(await runtime.podSandboxStatus(sandbox)).toMatchObject({ state: "notReady", ips: [] });
  });

  it("slow calls down", async () => {
    const { clock, runtime } = machineWith({}, { latencies: { version: millis(50), status: () => millis(70) } });
    const calls = Promise.all([runtime.version(), runtime.status()]).then(() => clock.now());
    await clock.advance(seconds(1));
    expect((await calls) - virtualEpoch).toBe(70);
  });
});

describe("logs", () => {
  it("of a long life cost nothing until they are read, and then hold every line", async () => {
    const { clock, runtime, launch } = machineWith({
      logs: [{ at: seconds(1), every: seconds(10), text: (n) => `tick ${n}`, stream: "stderr" }],
    });
    const { id } = await launch();
    await clock.advance(hours(24));
    const texts = [];
    for await (const line of runtime.readLog("/logs/web/app/0.log", id, { follow: false })) {
      texts.push(new TextDecoder().decode(line.text));
    }
    expect([texts.length, texts[0], texts.at(-1)]).toEqual([8640, "tick 0", "tick 8639"]);
  });

  it("can be followed on the clock to their end", async () => {
    const { clock, runtime, launch } = machineWith({
      runsFor: seconds(25),
      logs: [
        { at: millis(0), text: "up" },
        { at: seconds(10), every: seconds(10), text: "tick" },
      ],
    });
    const { id } = await launch();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const line of runtime.readLog("/logs/web/app/0.log", id, { follow: true })) {
        seen.push(clock.now() - virtualEpoch);
        expect(line.time - virtualEpoch).toBe(seen.at(-1));
      }
    })();
    await clock.advance(minutes(1));
    await reading;
    expect(seen).toEqual([0, 10_000, 20_000]);
  });
});

it("gives the same ids and addresses for the same seed", async () => {
  const life = async () => {
    const { launch, runtime } = machineWith({});
    const { id, sandbox } = await launch();
    return [id, sandbox, (await runtime.podSandboxStatus(sandbox)).ips];
  };
  expect(await life()).toEqual(await life());
});

it("fails to create or start a container as declared", async () => {
  const create = machineWith({ createError: "no space left on device" });
  await expect(create.launch()).rejects.toThrow("no space left on device");
  const absent = machineWith({ present: false });
  await expect(absent.launch()).rejects.toThrow('image "app:1" not found');
});
