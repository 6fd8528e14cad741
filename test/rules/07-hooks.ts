import { example, networkCall, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const grace = testsOf("src/kubelet/ending-decisions.test.ts", "the grace of a container");
const ending = testsOf("test/kubelet/ending.test.ts", "ending a Pod");
const starting = testsOf("test/kubelet/starting.test.ts", "starting a Pod");
const container = testsOf("src/api/core/v1/validate-pod.test.ts", "a container");
const story = testsOf("test/scenarios/stories.test.ts", "hooks");

export const hooks: Chapter = {
  number: 7,
  title: "Lifecycle hooks",
  parts: [
    {
      number: "7.1",
      title: "When hooks run",
      rules: [
        {
          id: "7.1-1",
          says: "postStart runs when the process of the container has been started; until it returns the container is not shown running and the next one does not start.",
          decision: starting("waits with the next container until postStart is through"),
          stories: ["a container is not seen running before its postStart hook is over, and the next one waits for it"],
          on: wholeLife,
          fields: ["Container.lifecycle", "Lifecycle.postStart"],
        },
        {
          id: "7.1-2",
          says: "A postStart hook that fails is a Warning `FailedPostStartHook`; its container is killed, and the restart policy decides.",
          decision: starting(
            "kills a container whose postStart fails, and says so",
            "says PostStartHookError while the container waits to be started again",
          ),
          stories: ["a failed postStart hook kills the container, which is PostStartHookError and starts again"],
          contract: [
            "runs a command in a container and gives back its output and exit code",
            "ends a container on TERM without waiting for the time limit",
          ],
        },
        {
          id: "7.1-3",
          says: "preStop runs before the stop signal whenever a running container is killed: the container lives on meanwhile.",
          decision: ending("runs preStop first, takes its time from the grace, and leaves at least 2 s"),
          stories: [
            "preStop runs before the stop signal: the container lives on meanwhile",
            "a liveness kill runs preStop too",
          ],
          on: wholeLife,
          fields: ["Lifecycle.preStop"],
        },
        {
          id: "7.1-4",
          says: "preStop does not run for a container that ends by itself.",
          decision: story("preStop does not run for a container that ends by itself"),
          stories: ["preStop does not run for a container that ends by itself"],
          on: wholeLife,
        },
        {
          id: "7.1-5",
          says: "A preStop hook that fails is a Warning `FailedPreStopHook` and keeps nothing from being stopped.",
          decision: ending("ends a container although its preStop fails, and says that it failed"),
          stories: ["a failed preStop is told and does not keep the container from being stopped"],
        },
        {
          id: "7.1-6",
          says: "A preStop hook that outlasts the grace is given up, and told.",
          decision: story("a preStop that takes too long is given up at the end of the grace, and told"),
          stories: ["a preStop that takes too long is given up at the end of the grace, and told"],
        },
      ],
    },
    {
      number: "7.2",
      title: "Handlers",
      rules: [
        {
          id: "7.2-1",
          says: "exec runs the command in the container, and fails with any exit code but 0.",
          contract: ["runs a command in a container and gives back its output and exit code"],
          on: wholeLife,
          fields: ["LifecycleHandler.exec"],
        },
        {
          id: "7.2-2",
          says: "httpGet takes any answer for a success; only no answer is a failure.",
          decision: story("any HTTP answer is a success for a hook; no answer is a failure"),
          fields: ["LifecycleHandler.httpGet"],
          stories: ["any HTTP answer is a success for a hook; no answer is a failure"],
          on: networkCall("httpGet > takes any status for an answer and cuts the body at the limit"),
        },
        {
          id: "7.2-3",
          says: "An HTTPS hook that is answered in plain HTTP is asked again so.",
          above: networkCall(
            "httpGet > notices a server that answers plainly to TLS",
            "httpGet > tells other nonsense in answer to TLS apart",
          ).process,
        },
        {
          id: "7.2-4",
          says: "sleep waits its seconds.",
          above: story("a sleep as preStop waits its seconds"),
          fields: ["LifecycleHandler.sleep", "SleepAction"],
        },
        {
          id: "7.2-5",
          says: "A sleep is not negative and not longer than the grace of the Pod.",
          above: container(
            "may not have a hook that sleeps too long",
            "may not have a hook that sleeps backwards",
            "may have a hook that sleeps as long as there is grace",
          ),
        },
        {
          id: "7.2-6",
          says: "A hook has exactly one handler.",
          above: container("may not have a hook without a handler"),
        },
        {
          id: "7.2-7",
          says: "A hook by tcpSocket is accepted and always fails.",
          above: story("a hook by tcpSocket is accepted and always fails, as it does in Kubernetes"),
          fields: ["LifecycleHandler.tcpSocket"],
        },
        {
          id: "7.2-8",
          says: "Both hooks are seen on the real thing: one after the start, one before TERM.",
          stories: ["preStop runs before the stop signal: the container lives on meanwhile"],
          on: {
            process: [...wholeLife.process, ...example("lifecycle-hooks.yaml").process],
            containerd: wholeLife.containerd,
          },
        },
      ],
    },
    {
      number: "7.3",
      title: "What a hook costs",
      rules: [
        {
          id: "7.3-1",
          says: "What preStop used is missing from the time between TERM and KILL.",
          decision: grace("loses the whole seconds that were used, and leaves 2 for the runtime"),
          stories: ["what preStop used is missing from the time between TERM and KILL"],
        },
        {
          id: "7.3-2",
          says: "However long preStop took, two seconds are left between TERM and KILL.",
          decision: grace("loses the whole seconds that were used, and leaves 2 for the runtime"),
          stories: ["a preStop that eats up the grace still leaves two seconds between TERM and KILL"],
        },
      ],
    },
  ],
};
