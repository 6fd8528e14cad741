import { type Chapter, testsOf } from "./rule.ts";

const conditions = testsOf("src/kubelet/conditions.test.ts");
const written = testsOf("src/kubelet/ending-decisions.test.ts", "the status that is written");
const patch = testsOf("src/kubelet/ending-decisions.test.ts", "the patch of a status");
const subresources = testsOf("test/apiserver/subresources.test.ts");
const statusUpdate = testsOf("src/api/core/v1/validate-pod-update.test.ts", "an update of a Pod's status");
const example = (runtime: string, name: string) =>
  testsOf("test/end-to-end/examples.test.ts", `the example, on ${runtime},`)(name);
const statuses = testsOf("src/kubelet/container-statuses.test.ts");

export const conditionsChapter: Chapter = {
  number: 2,
  title: "Conditions",
  parts: [
    {
      number: "2.1",
      title: "What a condition is",
      rules: [
        {
          id: "2.1-1",
          says: "`lastTransitionTime` moves when the status of a condition changes, and stays when only its reason or message does.",
          above: conditions("the time of a condition > *"),
        },
        {
          id: "2.1-2",
          says: "The kubelet writes its own conditions and leaves those of others untouched.",
          above: [
            ...written("keeps others' conditions and takes readiness from a Pod that has ended"),
            ...patch("names what changed, removes what is gone, and leaves other conditions alone"),
          ],
        },
        {
          id: "2.1-3",
          says: "Conditions are listed in a fixed order: others' first, then PodReadyToStartContainers, Initialized, Ready, ContainersReady, PodScheduled.",
          above: conditions("writes the conditions in upstream's order"),
        },
        {
          id: "2.1-4",
          says: "The type of a condition is a qualified name; a status with another one is refused.",
          above: statusUpdate("checks condition types"),
        },
      ],
    },
    {
      number: "2.3",
      title: "PodScheduled and PodReadyToStartContainers",
      rules: [
        {
          id: "2.3-1",
          says: "A Pod with scheduling gates is created with PodScheduled False, `SchedulingGated`.",
          above: [
            ...subresources("binding > refuses a gated Pod"),
            ...example("process", "scheduling-gates.yaml"),
            ...example("containerd", "scheduling-gates.yaml"),
          ],
          fields: ["PodSpec.schedulingGates", "PodSchedulingGate"],
        },
        {
          id: "2.3-2",
          says: "A Pod that fits nowhere has PodScheduled False, `Unschedulable`, with what each node lacks.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "scheduling",
          )("a Pod that fits nowhere says what each node lacks"),
        },
        {
          id: "2.3-3",
          says: "PodScheduled becomes True with the binding.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "scheduling",
          )("a Pod without any node is Unschedulable, and is scheduled when a node appears"),
        },
        {
          id: "2.3-4",
          says: "PodReadyToStartContainers is True if and only if the newest sandbox is ready and the only ready one, and has an address where it needs one.",
          above: conditions("PodReadyToStartContainers > *"),
        },
      ],
    },
    {
      number: "2.4",
      title: "Initialized",
      rules: [
        {
          id: "2.4-1",
          says: "A Pod without init containers is Initialized from its first status.",
          above: conditions("Initialized > is True without init containers"),
        },
        {
          id: "2.4-2",
          says: "Initialized is False, `ContainersNotInitialized`, while an init container has no status or is not complete, and the message names them.",
          above: conditions(
            "Initialized > is False while init containers have no status",
            "Initialized > is False while init containers are not complete",
            "Initialized > is True when all are complete",
          ),
        },
        {
          id: "2.4-3",
          says: "A sidecar is complete for Initialized as soon as it has started, ready or not.",
          above: conditions(
            "Initialized > is False while a sidecar has not started",
            "Initialized > is True with a started sidecar that is not ready",
          ),
        },
        {
          id: "2.4-4",
          says: "Initialized is True as soon as a regular container runs or has ended; one that only waits does not count.",
          above: conditions(
            "Initialized > is True as soon as a regular container runs",
            "Initialized > is not made True by a container that only waits",
          ),
        },
        {
          id: "2.4-5",
          says: "A Pod that has Succeeded is Initialized with the reason `PodCompleted`.",
          above: conditions(
            "Initialized > is True for a Pod that has succeeded",
            "Initialized > is True and completed also for a Pod without init containers that has succeeded",
          ),
        },
      ],
    },
    {
      number: "2.5",
      title: "ContainersReady",
      rules: [
        {
          id: "2.5-1",
          says: "ContainersReady is False, `UnknownContainerStatuses`, while there are no statuses.",
          above: conditions("ContainersReady > is False while there are no statuses"),
        },
        {
          id: "2.5-2",
          says: "It is False, `ContainersNotReady`, while one of the regular containers and sidecars is not ready or unknown; the message names them, sidecars first.",
          above: conditions("ContainersReady > names who is unknown and who is unready, sidecars first"),
        },
        {
          id: "2.5-3",
          says: "It is True when all regular containers and all sidecars are ready.",
          above: conditions("ContainersReady > is True when all are ready, sidecars too"),
        },
        {
          id: "2.5-4",
          says: "It is False, `PodCompleted`, in a Pod that has Succeeded, and False, `PodFailed`, in one that is Failed.",
          above: conditions(
            "ContainersReady > is False for a Pod that has succeeded",
            "ContainersReady > is False for a Pod that has failed",
          ),
        },
      ],
    },
    {
      number: "2.6",
      title: "Ready",
      rules: [
        {
          id: "2.6-1",
          says: "Ready says what ContainersReady says while that is not True.",
          above: conditions(
            "Ready > says what ContainersReady says while that is not True",
            "Ready > is True without gates",
          ),
        },
        {
          id: "2.6-2",
          says: "A readiness gate whose condition is missing or not True makes Ready False, `ReadinessGatesNotReady`; the message names each such gate.",
          above: conditions(
            "Ready > is False while gates are missing or not True",
            "Ready > is True when all gates are",
          ),
          fields: ["PodSpec.readinessGates", "PodReadinessGate"],
        },
        {
          id: "2.6-3",
          says: "Ready follows a gate's condition as soon as somebody has set it.",
          stories: ["a readiness gate holds Ready back until somebody sets its condition"],
          on: {
            process: example("process", "readiness-gate.yaml"),
            containerd: example("containerd", "readiness-gate.yaml"),
          },
        },
      ],
    },
    {
      number: "2.7",
      title: "DisruptionTarget",
      rules: [
        {
          id: "2.7-1",
          says: "Eviction by the API marks the Pod with DisruptionTarget `EvictionByEvictionAPI` and then deletes it gracefully.",
          above: subresources("eviction > says why the Pod goes, then deletes it gracefully"),
          stories: ["the eviction API deletes a Pod gracefully and marks it as disrupted"],
        },
        {
          id: "2.7-2",
          says: "A NoExecute taint marks the Pods that it ends with `DeletionByTaintManager`.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "scheduling",
          )(
            "a NoExecute taint ends Pods that do not tolerate it at once, others after their tolerationSeconds, some never",
          ),
        },
        {
          id: "2.7-3",
          says: "A Pod whose node no longer exists is marked `DeletionByPodGC`, Failed and removed.",
          above: [
            ...testsOf("src/controllers/pod-gc/plan.test.ts")("a Pod whose node is gone"),
            ...testsOf(
              "test/control-plane/nodes.test.ts",
              "a Pod that nobody removes",
            )("goes when its node is gone for good"),
          ],
        },
        {
          id: "2.7-4",
          says: "The kubelet tells its own DisruptionTarget only together with the final phase.",
          above: written("sends the kubelet's DisruptionTarget only together with the terminal phase"),
        },
      ],
    },
    {
      number: "2.8",
      title: "Generations and other fields",
      rules: [
        {
          id: "2.8-1",
          says: "A binding leaves the generation as it is, and carries the binding's annotations over.",
          above: subresources("binding > carries annotations over and keeps the generation"),
        },
        {
          id: "2.8-2",
          says: "The first graceful deletion raises the generation.",
          above: testsOf("src/apiserver/registry/deletion-plan.test.ts")(
            "counts the deletion in the generation where there is one",
          ),
        },
        {
          id: "2.8-3",
          says: "A negative observedGeneration is refused.",
          above: statusUpdate("refuses negative generations"),
        },
        {
          id: "2.8-4",
          says: "A status carries at most one address of each family, valid ones, and the host's first address as hostIP.",
          above: statusUpdate(
            "checks addresses",
            "takes one address of each family",
            "refuses two of one family",
            "wants the host's first address",
          ),
        },
        {
          id: "2.8-5",
          says: "`containerStatuses` are sorted by name; `initContainerStatuses` keep the order of the manifest.",
          above: statuses(
            "the other fields > sorts regular containers by name and keeps the spec's order of init containers",
          ),
        },
        {
          id: "2.8-6",
          says: "A Pod on the host's network has the node's addresses.",
          stories: ["a Pod on the host's network has the node's address"],
          contract: ["gives a sandbox on the node's network no address"],
          fields: ["PodSpec.hostNetwork"],
        },
        {
          id: "2.8-7",
          says: "The kubelet writes a status only when something changed, and only what changed.",
          above: patch(
            "is nothing when nothing changed",
            "names what changed, removes what is gone, and leaves other conditions alone",
          ),
        },
        {
          id: "2.8-8",
          says: "The QoS class is decided at creation and never changes.",
          above: statusUpdate("keeps the QoS class"),
        },
      ],
    },
  ],
};
