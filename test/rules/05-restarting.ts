import { comingBack, example, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const one = testsOf("src/kubelet/pod-actions.test.ts", "one regular container");
const wait = testsOf("src/kubelet/pod-actions.test.ts", "restart back-off");
const ephemeral = testsOf("src/kubelet/pod-actions.test.ts", "ephemeral containers");
const backOff = testsOf("src/kubelet/back-off.test.ts");
const restarting = testsOf("test/kubelet/ending.test.ts", "restarting");
const images = testsOf("test/scenarios/stories.test.ts", "images");
const crash = testsOf("test/scenarios/stories.test.ts", "crash");

export const restartingChapter: Chapter = {
  number: 5,
  title: "Restart policy and back-off",
  parts: [
    {
      number: "5.1",
      title: "Who is started again",
      rules: [
        {
          id: "5.1-1",
          says: "Nothing is started in a Pod that is being deleted.",
          above: one("starts nothing in a Pod that is being deleted"),
          stories: ["a Pod is not restarted while it is being deleted"],
        },
        {
          id: "5.1-2",
          says: "A container of which no instance is known is started.",
          above: one("starts a container that is not there", "starts a container that was created only"),
        },
        {
          id: "5.1-3",
          says: "Under Always a container is restarted however it ended.",
          decision: one(
            "restarts a clean exit when the policy is Always",
            "restarts a crash when the policy is Always",
          ),
          stories: [
            "under Always a container that ends with 0 is restarted 1 times and its Pod is Running",
            "under Always a container that ends with 1 is restarted 1 times and its Pod is Running",
          ],
          on: wholeLife,
        },
        {
          id: "5.1-4",
          says: "Under OnFailure a container is restarted only if it failed.",
          decision: one(
            "ends the Pod after a clean exit when the policy is OnFailure",
            "restarts a crash when the policy is OnFailure",
          ),
          stories: [
            "under OnFailure a container that ends with 0 is restarted 0 times and its Pod is Succeeded",
            "under OnFailure a container that ends with 1 is restarted 1 times and its Pod is Running",
            "under OnFailure a container is repeated until it ends well",
          ],
        },
        {
          id: "5.1-5",
          says: "Under Never no container is restarted.",
          decision: one(
            "ends the Pod after a clean exit when the policy is Never",
            "ends the Pod after a crash when the policy is Never",
          ),
          stories: [
            "under Never a container that ends with 0 is restarted 0 times and its Pod is Succeeded",
            "under Never a container that ends with 1 is restarted 0 times and its Pod is Failed",
            "under Never a Pod is Failed only when its last container has ended, and one failure among them is enough",
          ],
          on: comingBack,
        },
        {
          id: "5.1-6",
          says: "A container that runs is left alone.",
          decision: one("leaves a running container alone"),
          stories: ["a kubelet that is started again adopts what runs: nothing is restarted, nothing is told twice"],
          on: comingBack,
        },
        {
          id: "5.1-7",
          says: "Only the container that ended is restarted, not its Pod.",
          above: crash("only the crashed container of a Pod is restarted"),
        },
        {
          id: "5.1-8",
          says: "An ephemeral container is never restarted.",
          above: ephemeral("are never restarted"),
          stories: ["an ephemeral container starts in a running Pod, ends, and is never started again"],
        },
      ],
    },
    {
      number: "5.2",
      title: "Back-off of restarts",
      rules: [
        {
          id: "5.2-1",
          says: "The restarts of a container that keeps ending wait 0, 10, 20, 40, 80, 160, 300, 300 … seconds after each end.",
          above: backOff("waits 0, 10, 20, 40, 80, 160, 300, 300 s after each of a container's crashes"),
          stories: ["a crashing container is restarted at once, then after 10, 20, 40, 80, 160, 300 and 300 seconds"],
        },
        {
          id: "5.2-2",
          says: "The wait counts from the end of the last instance and is over exactly when its time is.",
          above: [
            ...backOff("back-off > runs until its step after the exit is over", "back-off > is over at that instant"),
            ...wait(
              "waits while the step since the exit is not over",
              "starts exactly at its end",
              "says until when it waits",
            ),
          ],
        },
        {
          id: "5.2-3",
          says: "A container that ran for more than ten minutes is restarted at once, and its back-off begins anew.",
          above: [
            ...backOff(
              "back-off > is forgotten after more than ten minutes between start and exit",
              "back-off > is not forgotten at exactly ten minutes",
              "back-off > begins anew with 10 s after it was forgotten",
            ),
            ...wait("forgets the past after ten quiet minutes"),
            ...restarting("restarts at once after a long good run"),
          ],
          stories: ["a container that ran for more than ten minutes is restarted at once and begins its back-off anew"],
        },
        {
          id: "5.2-4",
          says: "Each container of each Pod has its own back-off; a changed image or other resources begin a new one.",
          above: backOff("back-off > has another key when image or resources change"),
        },
        {
          id: "5.2-5",
          says: "While one container waits, the others are started and run on.",
          above: wait("starts the other containers meanwhile"),
        },
        {
          id: "5.2-6",
          says: "The end is shown first (`Error`, `Completed`), then `CrashLoopBackOff` with the end in `lastState`, then the next instance with one more restart.",
          decision: crash(
            "between crashes the container waits in CrashLoopBackOff, its last end in lastState, its Pod Running and not Ready",
          ),
          stories: [
            "between crashes the container waits in CrashLoopBackOff, its last end in lastState, its Pod Running and not Ready",
          ],
          on: wholeLife,
        },
        {
          id: "5.2-7",
          says: "The back-off is a Warning `BackOff`, one event that is counted.",
          above: crash("the back-off event is counted, one event for all crashes"),
        },
        {
          id: "5.2-8",
          says: "A kubelet that was restarted goes on with the back-off where it was.",
          above: [
            ...backOff("back-off after a restart of the kubelet > *"),
            ...testsOf(
              "test/kubelet/coming-back.test.ts",
              "a kubelet that comes back",
            )("goes on with the back-off of a container that crashes"),
          ],
          stories: ["restart counts and the crash back-off go on when the kubelet is started again in the middle"],
        },
        {
          id: "5.2-9",
          says: "The message tells the step as 10s, 20s, 40s, 1m20s, 2m40s, 5m0s.",
          above: backOff("prints 10000 ms as 10s", "prints 80000 ms as 1m20s", "prints 300000 ms as 5m0s"),
        },
        {
          id: "5.2-10",
          says: "A restart loop is seen on the real thing: an end, a restart at once, an end, and a wait.",
          stories: ["a crashing container is restarted at once, then after 10, 20, 40, 80, 160, 300 and 300 seconds"],
          on: example("crash-loop.yaml"),
        },
      ],
    },
    {
      number: "5.3",
      title: "Back-off of pulls",
      rules: [
        {
          id: "5.3-1",
          says: "Pulls that keep failing wait 10, 20, 40, 80, 160, 300, 300 … seconds.",
          above: images(
            "pulls that keep failing are spaced by 10, 20, 40, 80, 160, 300 and 300 seconds; the Pod stays Pending",
          ),
        },
        {
          id: "5.3-2",
          says: "Containers of a Pod with the same image share the back-off; another Pod begins anew.",
          above: images("two containers of a Pod with the same image share the pull back-off; another Pod begins anew"),
        },
      ],
    },
  ],
};
