// What containers are given and leave behind: variables, volumes, logs and last words (pod-lifecycle 3.6, 3.7, 4.2, 4.6).

import assert from "node:assert/strict";
import {
  configMap,
  hasRestarts,
  isReady,
  minutes,
  pod,
  seconds,
  secret,
  type Story,
  story,
  waitsFor,
} from "../../src/testing/index.ts";

const envOf = (config: {
  readonly envs: readonly { readonly key: string; readonly value: string }[];
}): Readonly<Record<string, string>> => Object.fromEntries(config.envs.map(({ key, value }) => [key, value]));

export const stories: readonly Story[] = [
  story(
    "a missing ConfigMap holds the container in CreateContainerConfigError, and it starts when the ConfigMap appears",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", { present: true });
      await t.apply(pod("app", { image: "app:1", container: { envFrom: [{ configMapRef: { name: "settings" } }] } }));
      await t.until("pod/app", waitsFor("CreateContainerConfigError"), { within: seconds(5) });
      assert.equal((await t.container("app")).state?.waiting?.message, 'configmap "settings" not found');
      assert.equal((await t.pod("app")).status.phase, "Pending");
      assert.ok(
        t
          .events("pod/app")
          .some((line) => /^Warning {2}\[app\] Failed.* Error: configmap "settings" not found$/.test(line)),
      );
      await t.elapse(minutes(5));
      await t.apply(configMap("settings", { MODE: "quiet" }));
      await t.until("pod/app", isReady, { within: seconds(16) });
      assert.equal((await t.container("app")).restartCount, 0);
    },
  ),

  story("a missing key of a Secret is a config error; an optional one is left out", async (t) => {
    await t.nodes("node-a");
    let env: Readonly<Record<string, string>> = {};
    t.image("app:1", {
      present: true,
      behaves: ({ config }) => {
        env = envOf(config);
        return {};
      },
    });
    await t.apply(secret("login", { user: "ada" }));
    const keyRef = (key: string, optional: boolean) => ({
      valueFrom: { secretKeyRef: { name: "login", key, optional } },
    });
    await t.apply(
      pod("strict", { image: "app:1", container: { env: [{ name: "PASSWORD", ...keyRef("password", false) }] } }),
      pod("easy", {
        image: "app:1",
        container: {
          env: [
            { name: "LOGIN", ...keyRef("user", false) },
            { name: "PASSWORD", ...keyRef("password", true) },
          ],
        },
      }),
    );
    await t.until("pod/easy", isReady, { within: seconds(1) });
    assert.equal(env["LOGIN"], "ada");
    assert.ok(!("PASSWORD" in env));
    assert.equal(
      (await t.container("strict")).state?.waiting?.message,
      "couldn't find key password in Secret default/login",
    );
  }),

  story("variables come from the Pod itself, from ConfigMaps and from each other, the later winning", async (t) => {
    await t.nodes("node-a");
    let env: Readonly<Record<string, string>> = {};
    t.image("app:1", {
      present: true,
      behaves: ({ config }) => {
        env = envOf(config);
        return {};
      },
    });
    await t.apply(configMap("base", { MODE: "quiet", LEVEL: "1" }));
    await t.apply(
      pod("app", {
        image: "app:1",
        labels: { tier: "front" },
        container: {
          envFrom: [{ configMapRef: { name: "base" } }, { configMapRef: { name: "absent", optional: true } }],
          env: [
            { name: "LEVEL", value: "2" },
            { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
            { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
            { name: "TIER", valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
            { name: "GREETING", value: "$(POD) on $(NODE), $$(POD), $(NOBODY)" },
          ],
        },
      }),
    );
    await t.until("pod/app", isReady, { within: seconds(1) });
    const { MODE, LEVEL, POD, NODE, IP, TIER, GREETING } = env;
    assert.deepEqual(
      { MODE, LEVEL, POD, NODE, IP, TIER, GREETING },
      {
        MODE: "quiet",
        LEVEL: "2",
        POD: "app",
        NODE: "node-a",
        IP: (await t.pod("app")).status.podIP,
        TIER: "front",
        GREETING: "app on node-a, $(POD), $(NOBODY)",
      },
    );
  }),

  story("a volume of a missing ConfigMap is FailedMount, and the Pod goes on when it appears", async (t) => {
    await t.nodes("node-a");
    let seen = "";
    t.image("app:1", {
      present: true,
      behaves: async ({ readFile }) => {
        seen = new TextDecoder().decode(await readFile("/etc/app/mode"));
        return {};
      },
    });
    await t.apply(
      pod("app", {
        image: "app:1",
        volumes: [{ name: "settings", configMap: { name: "settings" } }],
        container: { volumeMounts: [{ name: "settings", mountPath: "/etc/app" }] },
      }),
    );
    await t.elapse(minutes(1));
    assert.deepEqual((await t.container("app")).state, { waiting: { reason: "ContainerCreating" } });
    assert.ok(
      t
        .events("pod/app")
        .some((line) =>
          /^Warning {2}FailedMount.*MountVolume\.SetUp failed for volume "settings" : configmap "settings" not found$/.test(
            line,
          ),
        ),
      t.events("pod/app").join("\n"),
    );
    await t.apply(configMap("settings", { mode: "quiet" }));
    await t.until("pod/app", isReady, { within: minutes(3) });
    assert.equal(seen, "quiet");
  }),

  story("an optional volume source that is missing gives an empty folder", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(
      pod("app", {
        image: "app:1",
        volumes: [{ name: "maybe", secret: { secretName: "maybe", optional: true } }],
        container: { volumeMounts: [{ name: "maybe", mountPath: "/etc/app" }] },
      }),
    );
    await t.until("pod/app", isReady, { within: seconds(1) });
  }),

  story(
    "a changed ConfigMap reaches the volume of a running container within two minutes, and its variables never",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", {
        present: true,
        exec: async ([command], { readFile, config }) => {
          if (command !== "mode") return undefined;
          const file = new TextDecoder().decode(await readFile("/etc/app/mode"));
          return { exitCode: file === "loud" ? 0 : 1, stdout: `${file} ${envOf(config)["MODE"]}` };
        },
      });
      await t.apply(configMap("settings", { mode: "quiet" }));
      await t.apply(
        pod("app", {
          image: "app:1",
          volumes: [{ name: "settings", configMap: { name: "settings" } }],
          container: {
            volumeMounts: [{ name: "settings", mountPath: "/etc/app" }],
            env: [{ name: "MODE", valueFrom: { configMapKeyRef: { name: "settings", key: "mode" } } }],
            readinessProbe: { exec: { command: ["mode"] }, periodSeconds: 1 },
          },
        }),
      );
      await t.elapse(seconds(10));
      assert.equal((await t.container("app")).ready, false);
      await t.patch("configmap/settings", { data: { mode: "loud" } });
      await t.until("pod/app", isReady, { within: minutes(2) });
      assert.ok(t.events("pod/app").some((line) => line.endsWith("Readiness probe failed: quiet quiet")));
    },
  ),

  story("emptyDir outlives a container's restart and not its Pod", async (t) => {
    const node = await t.node("node-a");
    const found: (string | undefined)[] = [];
    t.image("app:1", {
      present: true,
      behaves: async ({ readFile }) => {
        const bytes = await readFile("/work/state");
        found.push(bytes === undefined ? undefined : new TextDecoder().decode(bytes));
        return { runsFor: seconds(2), exits: 1, files: [{ path: "/work/state", content: "kept" }] };
      },
    });
    await t.apply(
      pod("app", {
        image: "app:1",
        volumes: [{ name: "work", emptyDir: {} }],
        container: { volumeMounts: [{ name: "work", mountPath: "/work" }] },
      }),
    );
    await t.until("pod/app", hasRestarts(1), { within: minutes(1) });
    assert.deepEqual(found, [undefined, "kept"]);
    const { uid } = (await t.pod("app")).metadata;
    await t.delete("pod/app");
    await t.elapse(seconds(5));
    assert.equal(
      await node.filesystem
        .readFile(`/var/lib/lifepod/node-a/pods/${uid}/volumes/kubernetes.io~empty-dir/work/state`)
        .catch(() => undefined),
      undefined,
    );
  }),

  story("a container's last words are in its termination message", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exits: 1, writesTerminationMessage: "out of cheese" });
    await t.apply(pod("app", { image: "app:1", restartPolicy: "Never" }));
    await t.elapse(seconds(2));
    assert.equal((await t.container("app")).state?.terminated?.message, "out of cheese");
  }),

  story(
    "with FallbackToLogsOnError the end of the log is the message of a container that failed silently, not of one that succeeded",
    async (t) => {
      await t.nodes("node-a");
      const logs = [{ at: seconds(0), text: (n: number) => `line ${n}`, every: seconds(0.01) }];
      t.image("bad:1", { present: true, runsFor: seconds(2), exits: 1, logs });
      t.image("good:1", { present: true, runsFor: seconds(2), exits: 0, logs });
      const container = { terminationMessagePolicy: "FallbackToLogsOnError" as const };
      await t.apply(
        pod("bad", { image: "bad:1", restartPolicy: "Never", container }),
        pod("good", { image: "good:1", restartPolicy: "Never", container }),
      );
      await t.elapse(seconds(3));
      const message = (await t.container("bad")).state?.terminated?.message ?? "";
      const lines = message.trimEnd().split("\n");
      assert.ok(lines.length <= 80, `${lines.length} lines`);
      assert.ok(message.length <= 2048);
      assert.match(lines.at(-1) ?? "", /^line \d+$/);
      assert.equal((await t.container("good")).state?.terminated?.message, undefined);
    },
  ),

  story(
    "a termination message is cut to its last 4096 bytes, and to a share of 12 KiB in a Pod of many containers",
    async (t) => {
      await t.nodes("node-a");
      const words = `${"x".repeat(6000)}end`;
      t.image("app:1", { present: true, runsFor: seconds(10), exits: 1, writesTerminationMessage: words });
      const many = Array.from({ length: 6 }, (_, index) => ({ name: `c${index}`, image: "app:1" }));
      await t.apply(
        pod("one", { image: "app:1", restartPolicy: "Never" }),
        pod("six", { restartPolicy: "Never", containers: many }),
      );
      await t.elapse(seconds(12));
      const message = (await t.container("one")).state?.terminated?.message ?? "";
      assert.equal(message.length, 4096);
      assert.ok(message.endsWith("end"));
      assert.equal((await t.container("six", "c3")).state?.terminated?.message?.length, 2048);
    },
  ),

  story("logs are those of the running container, and of the one before it on request", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", {
      present: true,
      behaves: ({ turn }) => ({
        runsFor: seconds(5),
        exits: 1,
        logs: [
          { at: seconds(0), text: `turn ${turn}` },
          { at: seconds(1), text: "working" },
        ],
      }),
    });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(2));
    assert.equal(await t.logs("pod/app"), "turn 0\nworking\n");
    await assert.rejects(
      t.logs("pod/app", { previous: true }),
      /previous terminated container "app" in pod "app" not found/,
    );
    await t.elapse(seconds(4.5));
    assert.equal(await t.logs("pod/app"), "turn 1\nworking\n");
    assert.equal(await t.logs("pod/app", { previous: true }), "turn 0\nworking\n");
    assert.equal(await t.logs("pod/app", { previous: true, tailLines: 1 }), "working\n");
  }),

  story("a container that waits to start has no logs, and says why", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { pullFails: {} });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", waitsFor("ImagePullBackOff"), { within: minutes(1) });
    await assert.rejects(
      t.logs("pod/app"),
      /container "app" in pod "app" is waiting to start: trying and failing to pull image/,
    );
  }),

  story("a container in its crash back-off shows the log of its last run", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exits: 1, logs: [{ at: seconds(0), text: "good bye" }] });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", waitsFor("CrashLoopBackOff"), { within: minutes(1) });
    assert.equal(await t.logs("pod/app"), "good bye\n");
  }),
];
