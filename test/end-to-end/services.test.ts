// Real connections to Services, from the machine and from Pods, on every runtime that is at hand.

import { get } from "node:http";
import type { V1Deployment } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { millis, seconds } from "../../src/base/time.ts";
import { clock, until } from "../containerd/until.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";

const namespace = "default";

describe.for(runtimeRows)("Services on %s", ([name, offer]) => {
  let runtime: RuntimeAtHand | undefined;
  let cluster: StandingCluster;
  let clusterIp: string;
  let nodePort: number;

  beforeAll(async () => {
    if (offer.absence !== undefined) return;
    runtime = await offer.start();
    cluster = await StandingCluster.start(runtime.arguments);
    await cluster.apps.createNamespacedDeployment({ namespace, body: web(runtime.image, 2) });
    const { spec } = await cluster.api.createNamespacedService({
      namespace,
      body: {
        metadata: { name: "web" },
        spec: { type: "NodePort", selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
      },
    });
    clusterIp = spec?.clusterIP ?? "";
    nodePort = spec?.ports?.[0]?.nodePort ?? 0;
    await until("both replicas have answered", bothHaveAnswered(), seconds(60));
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
    await runtime?.stop();
  }, 60_000);

  const bothHaveAnswered = (): (() => Promise<true | undefined>) => {
    const seen = new Set<string>();
    return async () => {
      const answer = await ask(`http://${clusterIp}/`);
      if (answer.startsWith("web-")) seen.add(answer);
      return seen.size === 2 ? true : undefined;
    };
  };
  const scale = async (replicas: number): Promise<void> => {
    const body = [{ op: "replace", path: "/spec/replicas", value: replicas }];
    await cluster.apps.patchNamespacedDeployment({ name: "web", namespace, body });
  };
  const prints = async (podName: string, script: string): Promise<string> => {
    const image = runtime?.image ?? "";
    await cluster.create({
      metadata: { name: podName },
      spec: { restartPolicy: "Never", containers: [{ name: "main", image, command: ["sh", "-c", script] }] },
    });
    await cluster.until(podName, "ends", ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ""));
    return cluster.log(podName);
  };

  it("are reached from the machine by address and by node port", async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    expect(await ask(`http://${clusterIp}/`)).toMatch(/^web-/);
    const node = await cluster.api.readNode({ name: cluster.facts.node });
    const address = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "";
    expect(await ask(`http://${address}:${nodePort}/`)).toMatch(/^web-/);
  });

  it("are reached from a Pod by their variables, and so is the API server", async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    const script = [
      "busybox wget -q -O- http://$WEB_SERVICE_HOST:$WEB_SERVICE_PORT/",
      "busybox nc -w 5 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null && echo API server",
    ].join("; ");
    expect(await prints("by-variables", script)).toMatch(/^web-\S+\nAPI server\n$/);
  });

  it("have names that Pods find", async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    test.skip(process.getuid?.() !== 0, "only root can give a process a resolver file of its own");
    const script = [
      "cat /etc/resolv.conf",
      "busybox nslookup -type=a web.default.svc.cluster.local",
      "busybox nslookup nobody.default.svc.cluster.local",
    ].join("; ");
    const printed = await prints("by-name", script);
    expect(printed).toContain("search default.svc.cluster.local svc.cluster.local cluster.local");
    expect(printed).toContain("options ndots:5");
    expect(printed).toContain(`Name:\tweb.default.svc.cluster.local\nAddress: ${clusterIp}\n`);
    expect(printed).toMatch(/can't find nobody\.default\.svc\.cluster\.local: NXDOMAIN/);
  });

  it("lose no request while they are scaled down and up again", { timeout: 60_000 }, async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    const answers: string[] = [];
    let asking = true;
    const client = (async () => {
      while (asking) {
        answers.push(await ask(`http://${clusterIp}/`));
        await clock.sleep(millis(5));
      }
    })();
    await scale(1);
    await until(
      "one replica is left",
      async () => {
        const { items } = await cluster.api.listNamespacedPod({ namespace, labelSelector: "app=web" });
        return items.length === 1 ? true : undefined;
      },
      seconds(30),
    );
    await scale(2);
    await until("both replicas have answered", bothHaveAnswered(), seconds(30));
    asking = false;
    await client;
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter((answer) => !answer.startsWith("web-"))).toEqual([]);
  });

  it("are there again after lifepod was killed", { timeout: 60_000 }, async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    await cluster.end("SIGKILL");
    await cluster.up();
    expect(await until("both replicas have answered", bothHaveAnswered(), seconds(30))).toBe(true);
  });

  it("refuse connections when nobody is left behind them", { timeout: 60_000 }, async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    await scale(0);
    await until(
      "nobody is left",
      async () => ((await ask(`http://${clusterIp}/`)) === "ECONNREFUSED" ? true : undefined),
      seconds(30),
    );
    expect(name).toBe(cluster.facts.runtime);
  });
});

/** What answers, or why nobody does. A connection of its own each time. */
function ask(url: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 3000 }, (response) => {
      let text = "";
      response.on("data", (part) => (text += String(part)));
      response.on("end", () => resolve(response.statusCode === 200 ? text.trim() : `status ${response.statusCode}`));
      response.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    });
    request.on("timeout", () => request.destroy(new Error("silence")));
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Each replica says its name. It ends a while after connections go elsewhere. */
function web(image: string, replicas: number): V1Deployment {
  const serve = [
    "mkdir -p /tmp/lifepod-$POD && echo $POD > /tmp/lifepod-$POD/index.html",
    "trap 'kill $! 2>/dev/null; rm -r /tmp/lifepod-$POD; exit 0' TERM",
    "busybox httpd -f -p $POD_IP:8080 -h /tmp/lifepod-$POD & wait",
  ].join("; ");
  const field = (variable: string, fieldPath: string) => ({ name: variable, valueFrom: { fieldRef: { fieldPath } } });
  return {
    metadata: { name: "web" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          terminationGracePeriodSeconds: 10,
          containers: [
            {
              name: "main",
              image,
              command: ["sh", "-c", serve],
              env: [field("POD", "metadata.name"), field("POD_IP", "status.podIP")],
              lifecycle: { preStop: { exec: { command: ["sleep", "2"] } } },
              readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}
