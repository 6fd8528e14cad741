import { type Chapter, testsOf } from "./rule.ts";

const silent = testsOf("src/controllers/node-lifecycle/plan.test.ts", "the conditions of a silent node");
const taints = testsOf("src/controllers/node-lifecycle/plan.test.ts", "the taints");
const turn = testsOf("src/controllers/node-lifecycle/plan.test.ts", "the turn of a node to be tainted");
const eviction = testsOf("src/controllers/taint-eviction/plan.test.ts");
const collector = testsOf("src/controllers/pod-gc/plan.test.ts");
const story = testsOf("test/scenarios/stories.test.ts", "nodes, namespaces and events");
const scheduling = testsOf("test/scenarios/stories.test.ts", "scheduling");
const node = testsOf("test/control-plane/nodes.test.ts", "a node");
const serving = testsOf("test/kubelet/serving.test.ts", "a kubelet");
const evicting = testsOf("test/apiserver/subresources.test.ts", "eviction");

export const lostNodes: Chapter = {
  number: 12,
  title: "When a node is lost",
  parts: [
    {
      number: "12.1",
      title: "Signs of life",
      rules: [
        {
          id: "12.1-1",
          says: "A node renews its lease every ten seconds and writes its status when something changed, at least every five minutes.",
          above: serving("keeps its lease and its node's status fresh"),
        },
        {
          id: "12.1-2",
          says: "A node that has been silent for 50 seconds is NotReady: its conditions become Unknown, and its Pods are no longer Ready.",
          above: [
            ...silent("stay for 50 s", "become unknown after 50 s", "say since when and why, and are written once"),
            ...node("that falls silent is unknown after 50 s, loses its Pods after five minutes more, and comes back"),
          ],
        },
        {
          id: "12.1-3",
          says: "A node that never spoke has 60 seconds.",
          above: silent("stay for 60 s if it never spoke", "become unknown after 60 s if it never spoke"),
        },
        {
          id: "12.1-4",
          says: "A kubelet whose Node object was deleted registers again.",
          above: serving("registers again when its Node object is deleted"),
        },
      ],
    },
    {
      number: "12.2",
      title: "Taints and evictions",
      rules: [
        {
          id: "12.2-1",
          says: "A node that is not ready or unreachable is tainted, NoSchedule at once and NoExecute in its turn; the taints go with their reason.",
          above: taints(
            "of a node that is not ready",
            "of a node that is unknown",
            "wait for the node's turn",
            "go when the node is ready again",
          ),
        },
        {
          id: "12.2-2",
          says: "In each zone one node is emptied every ten seconds; where most nodes are ill none or fewer, and where nothing can be heard at all none.",
          above: [
            ...turn(
              "comes once every ten seconds in each zone",
              "does not come in a small zone where most are ill, and never where nothing is well",
            ),
            ...taints("that drive Pods off go when nothing can be heard"),
            ...story("when the only node is silent nobody is evicted: the fault may lie elsewhere"),
          ],
        },
        {
          id: "12.2-3",
          says: "A NoExecute taint deletes the Pods that do not tolerate it at once, others after the shortest of their `tolerationSeconds`, some never.",
          above: [
            ...eviction(
              "a Pod goes at once from what it does not tolerate",
              "a Pod stays for the shortest of its tolerations",
              "a Pod stays where it tolerates without limit",
              "a Pod takes one limit over one without",
              "a Pod goes at once with a limit of zero or less",
            ),
            ...scheduling(
              "a NoExecute taint ends Pods that do not tolerate it at once, others after their tolerationSeconds, some never",
            ),
          ],
        },
        {
          id: "12.2-4",
          says: "A planned eviction is called off when the taint goes in time.",
          above: scheduling("a planned eviction is called off when the taint goes in time"),
        },
        {
          id: "12.2-5",
          says: "A node that comes back in time keeps its Pods untouched; one that comes back later ends those that were deleted.",
          above: story(
            "a silent node that comes back before the time is up keeps its Pods, untouched",
            "a node that comes back after its Pods were deleted ends them",
          ),
        },
      ],
    },
    {
      number: "12.4",
      title: "Pods that nobody ends",
      rules: [
        {
          id: "12.4-1",
          says: "Pods of a node that no longer exists are Failed and removed after 40 seconds, looked for every 20.",
          above: [
            ...collector("a Pod whose node is missing for a moment", "a Pod whose node is gone"),
            ...story("Pods of a node that was deleted are Failed and collected after 40 s"),
          ],
        },
        {
          id: "12.4-2",
          says: "A Pod that was deleted before it had a node and is still there is Failed and removed.",
          above: [
            ...collector("a Pod that was deleted before it was placed"),
            ...story(
              "a Pod that was deleted before it had a node and is held by a finalizer is Failed by the Pod collector",
            ),
          ],
        },
        {
          id: "12.4-3",
          says: "A Pod that ends on a node that is out of service is removed by force.",
          above: collector(
            "a Pod that is to be stopped by a node out of service",
            "a Pod on a node out of service that is ready",
            "a Pod that runs on a node out of service",
          ),
        },
      ],
    },
    {
      number: "12.5",
      title: "Eviction on request",
      rules: [
        {
          id: "12.5-1",
          says: "An eviction deletes the Pod with its grace, or with the one it asks for, a Pending one too.",
          above: [
            ...evicting("says why the Pod goes, then deletes it gracefully"),
            ...story("the eviction API deletes a Pod that is Pending"),
          ],
        },
        {
          id: "12.5-2",
          says: "A dry run changes nothing; a precondition that does not hold, or another name, is refused.",
          above: evicting(
            "changes nothing in a dry run",
            "refuses another name",
            "refuses another namespace",
            "refuses a precondition that fails",
          ),
        },
      ],
    },
  ],
};
