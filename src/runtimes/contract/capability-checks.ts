// The container's surroundings: environment, folder, user, mounts, network, images.

import { millis } from "../../base/time.ts";
import type { Mount } from "../runtime-service.ts";
import type { RuntimeCheck } from "./contract-bench.ts";
import { decode, encode, ensure, failureOf, same } from "./contract-bench.ts";

export const capabilityChecks: readonly RuntimeCheck[] = [
  {
    name: "gives a container its environment",
    async body(bench) {
      const envs = [
        { key: "PLAIN", value: "text" },
        { key: "ODD", value: `a 'b' "c" $PLAIN \\ = ;` },
        { key: "TWICE", value: "first" },
        { key: "TWICE", value: "second" },
        { key: "EMPTY", value: "" },
      ];
      const names = ["PLAIN", "ODD", "TWICE", "EMPTY", "ABSENT"];
      const launched = await bench.run(
        names.map((name) => ({ do: "printVariable", name })),
        { envs },
      );
      same(await bench.texts(launched), ["text", `a 'b' "c" $PLAIN \\ = ;`, "second", "", ""], "values");
    },
  },
  {
    name: "starts a container in its working directory",
    async body(bench) {
      const launched = await bench.run([{ do: "printWorkingDirectory" }], { workingDir: "/usr" });
      same(await bench.texts(launched), ["/usr"], "working directory");
    },
  },
  {
    name: "runs a container as the user and group that were asked for",
    async body(bench) {
      const launched = await bench.run([{ do: "printUser" }], {
        securityContext: {
          namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" },
          runAsUser: 65534,
          runAsGroup: 65533,
        },
      });
      same(await bench.texts(launched), ["65534:65533"], "user and group");
      const user = (await bench.runtime.containerStatus(launched.id)).user;
      // Not every runtime reports the user; one that does reports the right one.
      ensure(user === undefined || (user.uid === 65534 && user.gid === 65533), "the same user in the status");
    },
  },
  {
    name: "shows files and folders of the node inside the container",
    async body(bench) {
      const { files, directory } = bench.subject;
      await files.makeDirectory(`${directory}/volume`, 0o777);
      await files.writeFile(`${directory}/volume/greeting`, encode("hello\n"), 0o644);
      await files.writeFile(`${directory}/single`, encode("alone\n"), 0o644);
      const mounts = [
        mount("/mnt/contract/volume", `${directory}/volume`),
        mount("/mnt/contract/nested/single", `${directory}/single`),
      ];
      const launched = await bench.run(
        [
          { do: "printFile", path: "/mnt/contract/volume/greeting" },
          { do: "printFile", path: "/mnt/contract/nested/single" },
          { do: "writeFile", path: "/mnt/contract/volume/answer", text: "hi" },
        ],
        { mounts },
      );
      same(await bench.texts(launched), ["hello", "alone"], "lines");
      same(decode(await files.readFile(`${directory}/volume/answer`)), "hi", "file on the node");
    },
  },
  {
    name: "lets nothing be written through a read-only mount",
    async body(bench) {
      const { files, directory } = bench.subject;
      await files.makeDirectory(`${directory}/volume`, 0o777);
      const mounts = [mount("/mnt/contract/volume", `${directory}/volume`, true)];
      await bench.run([{ do: "writeFile", path: "/mnt/contract/volume/answer", text: "hi" }], { mounts });
      same(await files.readFile(`${directory}/volume/answer`), undefined, "file on the node");
    },
  },
  {
    name: "runs commands of execSync among the same mounts",
    async body(bench) {
      const { files, directory } = bench.subject;
      await files.makeDirectory(`${directory}/volume`, 0o777);
      await files.writeFile(`${directory}/volume/greeting`, encode("hello\n"), 0o644);
      const mounts = [mount("/mnt/contract/volume", `${directory}/volume`)];
      const { id } = await bench.launch([{ do: "runForEver" }], { mounts });
      const command = bench.subject.command([{ do: "printFile", path: "/mnt/contract/volume/greeting" }]);
      same(decode((await bench.runtime.execSync(id, command)).stdout), "hello\n", "output");
    },
  },
  {
    name: "brings a termination message out through its file",
    async body(bench) {
      const { files, directory } = bench.subject;
      await files.writeFile(`${directory}/message`, new Uint8Array(), 0o666);
      await bench.run(
        [
          { do: "writeFile", path: "/dev/termination-log", text: "because of the rain" },
          { do: "exit", code: 1 },
        ],
        { mounts: [mount("/dev/termination-log", `${directory}/message`)] },
      );
      same(decode(await files.readTail(`${directory}/message`, 4096)), "because of the rain", "message");
      same(decode(await files.readTail(`${directory}/message`, 8)), "the rain", "end of the message");
    },
  },
  {
    name: "gives every sandbox an address of its own",
    async body(bench) {
      const sandboxes = await Promise.all([bench.sandbox(), bench.sandbox(), bench.sandbox()]);
      const ips = await Promise.all(sandboxes.map(async ({ id }) => (await bench.runtime.podSandboxStatus(id)).ips));
      for (const own of ips) ensure(own.length > 0, "an address");
      same(new Set(ips.flat()).size, ips.flat().length, "count of distinct addresses");
    },
  },
  {
    name: "gives a sandbox on the node's network no address",
    async body(bench) {
      const { id } = await bench.sandbox({
        securityContext: { namespaceOptions: { network: "NODE", pid: "CONTAINER", ipc: "POD" } },
      });
      const status = await bench.runtime.podSandboxStatus(id);
      same([status.ips, status.network], [[], "NODE"], "addresses and network");
    },
  },
  {
    name: "pulls an image once and knows it then",
    async body(bench) {
      const { image } = bench.subject.program([]);
      await bench.images.removeImage({ image });
      same(await bench.images.imageStatus({ image }), undefined, "status of the absent image");
      const reference = await bench.images.pullImage({ image }, [], bench.sandboxConfig());
      const status = await bench.images.imageStatus({ image });
      ensure(status !== undefined && status.sizeBytes > 0, "the image with a size");
      same((await bench.images.imageStatus({ image: reference }))?.id, status?.id, "image by its reference");
      ensure(
        (await bench.images.listImages()).some((listed) => listed.id === status?.id),
        "the image in the list",
      );
      same((await bench.run([{ do: "exit", code: 2 }])).exit.exitCode, 2, "exit code of a container of it");
    },
  },
  {
    name: "fails to pull an image that does not exist, and does not have it then",
    async body(bench) {
      const image = bench.subject.absentImage ?? "";
      const error = await failureOf(bench.images.pullImage({ image }, [], bench.sandboxConfig()), "pullImage");
      ensure(
        error.message.includes("not found") || error.message.includes(image),
        `words on it, not "${error.message}"`,
      );
      same(await bench.images.imageStatus({ image }), undefined, "status");
    },
  },
  {
    name: "measures running containers",
    async body(bench) {
      const running = await bench.launch([{ do: "print", text: "up" }, { do: "runForEver" }]);
      await bench.texts(running, 1);
      const stats = await bench.until("there are stats", async () =>
        (await bench.runtime.containerStats()).find((entry) => entry.id === running.id),
      );
      ensure(stats.memoryUsageBytes >= 0 && stats.cpuUsageNanoSeconds >= 0n, "numbers that can be");
      ensure(Math.abs(stats.timestamp - bench.subject.clock.now()) <= millis(20_000), "a fresh time");
    },
  },
];

const mount = (containerPath: string, hostPath: string, readonly = false): Mount => ({
  containerPath,
  hostPath,
  readonly,
  propagation: "None",
});
