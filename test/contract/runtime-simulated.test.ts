import { SeededRandom } from "../../src/base/random.ts";
import type { Millis } from "../../src/base/time.ts";
import { hours, millis } from "../../src/base/time.ts";
import { AddressRange } from "../../src/network/ipam.ts";
import { SimulatedNetwork } from "../../src/network/simulated/simulated-network.ts";
import type { ContractStep, RuntimeUnderTest } from "../../src/runtimes/contract.ts";
import { runtimeContract } from "../../src/runtimes/contract.ts";
import type {
  ContainerBehaviour,
  ContainerContext,
  ExecAnswer,
  ExecContext,
  LogBehaviour,
} from "../../src/runtimes/simulated/behaviour.ts";
import { MemoryFilesystem } from "../../src/runtimes/simulated/memory-filesystem.ts";
import { createSimulatedRuntime } from "../../src/runtimes/simulated/simulated-runtime.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { simulatedGaps } from "./simulated-gaps.ts";
import { vitestRunner } from "./vitest-runner.ts";

runtimeContract(
  vitestRunner,
  "simulated",
  async (): Promise<RuntimeUnderTest> => {
    const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
    const files = new MemoryFilesystem();
    await files.makeDirectory("/node", 0o755);
    const runtime = createSimulatedRuntime({
      clock,
      files,
      random: new SeededRandom(1),
      network: new SimulatedNetwork(clock),
      addresses: new AddressRange("10.244.0.0/24"),
      images: {
        contract: { behaves: (context) => behaviourOf(stepsOf(context.config.command), context) },
        broken: { startError: 'exec: "/no/such/program": stat /no/such/program: no such file or directory: unknown' },
      },
    });
    return {
      runtime,
      clock,
      files,
      directory: "/node",
      slack: millis(0),
      program: (steps) => ({ image: "contract", command: commandOf(steps) }),
      command: commandOf,
      absentCommand: ["no-such-program"],
      unstartable: { image: "broken", command: ["/no/such/program"] },
      absentImage: "absent:1",
      reopen: async () => runtime.reopen(),
      async play(body) {
        let over = false;
        const playing = body().finally(() => {
          over = true;
        });
        // A failure must not count as unhandled while the clock is still running.
        playing.catch(() => undefined);
        const ended = await clock.advanceUntil(() => over, hours(1));
        if (!ended) throw new Error("the check did not end within an hour of virtual time");
        await playing;
      },
      close: () => runtime.close(),
    };
  },
  { cannot: simulatedGaps },
);

const commandOf = (steps: readonly ContractStep[]): readonly string[] => ["steps", JSON.stringify(steps)];
const stepsOf = (command: readonly string[]): readonly ContractStep[] => JSON.parse(command[1] as string);

/** A program of the suite as a declared behaviour. */
async function behaviourOf(steps: readonly ContractStep[], context: ContainerContext): Promise<ContainerBehaviour> {
  const logs: LogBehaviour[] = [];
  const files: { path: string; content: string; at: Millis }[] = [];
  let at = millis(0);
  let onTerm: ContainerBehaviour = {};
  for (const step of steps) {
    switch (step.do) {
      case "sleep":
        at = millis(at + step.time);
        break;
      case "startChild":
        logs.push({ at, text: step.text, every: millis(20) });
        break;
      case "onTerm":
        onTerm = step.reaction === "ignore" ? { ignoresTerm: true } : { exitCodeOnTerm: step.reaction.exit };
        break;
      case "writeFile":
        files.push({ path: step.path, content: step.text, at });
        break;
      case "runForEver":
        return { logs, files, exec: answer, ...onTerm };
      case "exit":
        return { logs, files, exec: answer, ...onTerm, runsFor: at, exits: step.code };
      case "print":
      case "printPart":
      case "printVariable":
      case "printWorkingDirectory":
      case "printUser":
      case "printFile":
      case "printInput":
        logs.push({ at, text: await textOf(step, context), stream: (step.do === "print" && step.stream) || "stdout" });
        break;
    }
  }
  return { logs, files, exec: answer, ...onTerm, runsFor: at };
}

async function answer(command: readonly string[], context: ContainerContext): Promise<ExecAnswer | undefined> {
  if (command[0] !== "steps") return undefined;
  const behaviour = await behaviourOf(stepsOf(command), context);
  const output = (stream: string): string =>
    (behaviour.logs ?? []).map((line) => (line.stream === stream ? `${String(line.text)}\n` : "")).join("");
  return {
    exitCode: behaviour.exits ?? 0,
    stdout: output("stdout"),
    stderr: output("stderr"),
    delay: behaviour.runsFor ?? hours(1),
  };
}

async function textOf(step: ContractStep, context: ContainerContext): Promise<string> {
  const { config } = context;
  const user = config.securityContext;
  if (step.do === "print" || step.do === "printPart") return step.text;
  if (step.do === "printVariable") return config.envs.findLast(({ key }) => key === step.name)?.value ?? "";
  if (step.do === "printWorkingDirectory") return config.workingDir;
  if (step.do === "printInput") return (await (context as Partial<ExecContext>).input?.()) ?? "";
  if (step.do === "printUser") return `${user.runAsUser}:${user.runAsGroup}`;
  if (step.do !== "printFile") throw new Error(`${step.do} prints nothing`);
  const content = await context.readFile(step.path);
  return content === undefined ? "missing" : new TextDecoder().decode(content).replace(/\n$/, "");
}
