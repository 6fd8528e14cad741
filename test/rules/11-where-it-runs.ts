import { type Chapter, testsOf } from "./rule.ts";

const keptOff = testsOf("src/scheduler/schedule-pod.test.ts", "a Pod is kept off a node");
const fits = testsOf("src/scheduler/schedule-pod.test.ts", "a Pod fits on a node");
const chosen = testsOf("src/scheduler/schedule-pod.test.ts", "of several nodes a Pod goes to the one");
const near = testsOf("src/scheduler/plugins/inter-pod-affinity/inter-pod-affinity.test.ts");
const spread = testsOf("src/scheduler/plugins/pod-topology-spread/pod-topology-spread.test.ts");
const selection = testsOf("src/api/core/v1/node-affinity.test.ts", "node selection");
const labels = testsOf("src/api/meta/label-selector.test.ts", "a label selector object");
const story = testsOf("test/scenarios/stories.test.ts", "scheduling");
const making = testsOf("test/scenarios/stories.test.ts", "preemption");
const leaves = testsOf("src/scheduler/preempt.test.ts", "who leaves a node");

export const whereItRuns: Chapter = {
  number: 11,
  title: "Where a Pod runs",
  parts: [
    {
      number: "11.4",
      title: "What chooses the node",
      rules: [
        {
          id: "11.4-1",
          says: "A Pod goes only to a node that has what it requests, and room for one more Pod.",
          above: [
            ...keptOff(
              "without enough CPU at the moment",
              "with several shortages, each named",
              "with as many Pods as it takes",
            ),
            ...fits("with exactly what it asks for"),
          ],
        },
        {
          id: "11.4-2",
          says: "It goes only to a node whose labels match its node selector and its required node affinity.",
          above: [
            ...keptOff(
              "that does not match its nodeSelector",
              "that does not match its required affinity",
              "that its affinity does not name",
            ),
            ...fits("that has its labels", "that its affinity names"),
            ...selection("*"),
          ],
          fields: [
            "PodSpec.nodeSelector",
            "PodSpec.affinity",
            "Affinity.nodeAffinity",
            "NodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            "NodeSelector",
            "NodeSelectorTerm",
            "NodeSelectorRequirement",
          ],
        },
        {
          id: "11.4-3",
          says: "It goes only to a node whose NoSchedule and NoExecute taints it tolerates.",
          above: [
            ...keptOff("with a taint that it does not tolerate", "that is cordoned"),
            ...fits(
              "whose taint it tolerates",
              "with a taint that only asks to be avoided",
              "that is cordoned, if it tolerates that",
            ),
          ],
        },
        {
          id: "11.4-4",
          says: "It goes only to a node where its host ports are free.",
          above: [
            ...keptOff("where its host port is taken"),
            ...fits(
              "where only the same number of another protocol is taken",
              "where its port is taken on another address",
            ),
          ],
        },
        {
          id: "11.4-5",
          says: "A Pod that names its node goes there, past the scheduler.",
          above: story("a Pod with a node's name goes there past the scheduler, even to a cordoned node"),
          fields: ["PodSpec.nodeName"],
        },
        {
          id: "11.4-6",
          says: "Of several nodes it goes to the one with more left over, that its preferences weigh most, without taints to avoid.",
          above: [...chosen("*"), ...story("a preferred node is taken when it can be, and another when it cannot")],
          fields: ["NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution", "PreferredSchedulingTerm"],
        },
        {
          id: "11.4-7",
          says: "It goes near the Pods it asks for and away from those that it avoids, or that avoid it, in the domain that the topology key names.",
          above: near("a Pod fits > *"),
          fields: [
            "Affinity.podAffinity",
            "Affinity.podAntiAffinity",
            "PodAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            "PodAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            "PodAffinityTerm",
          ],
        },
        {
          id: "11.4-8",
          says: "It prefers to be near, or not near, the Pods that its weighted terms name.",
          above: near("of two nodes alike chooses by the Pod that it *"),
          fields: [
            "PodAffinity.preferredDuringSchedulingIgnoredDuringExecution",
            "PodAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution",
            "WeightedPodAffinityTerm",
          ],
        },
        {
          id: "11.4-9",
          says: "Pods of a group are spread over domains, no further apart than the skew allows.",
          above: spread(
            "a hard constraint lets a Pod go > *",
            "prefers the emptiest domain where the constraint is soft, and goes elsewhere rather than nowhere",
          ),
          fields: ["PodSpec.topologySpreadConstraints", "TopologySpreadConstraint"],
        },
        {
          id: "11.4-10",
          says: "A label selector takes what has all its labels and satisfies all its expressions; an empty one takes everything.",
          above: labels(
            "an empty one selects everything",
            "matchLabels must all be there",
            "In",
            "NotIn without the key",
            "Exists",
            "DoesNotExist",
            "labels and expressions are ANDed",
          ),
          fields: ["LabelSelector", "LabelSelectorRequirement"],
        },
        {
          id: "11.4-11",
          says: "A Pod of another scheduler is left to that one.",
          above: story("a Pod of another scheduler is left alone until that one binds it"),
        },
        {
          id: "11.4-12",
          says: "When room is freed the Pod with the higher priority gets it.",
          above: story("when room is freed the Pod with the higher priority gets it, though it came later"),
        },
      ],
    },
    {
      number: "11.5",
      title: "Who leaves for whom",
      rules: [
        {
          id: "11.5-1",
          says: "A Pod that fits nowhere drives out Pods of lower priority, with their grace, and waits for their end.",
          above: making(
            "an important Pod drives out one of lower priority, waits for its end and takes its place",
            "while it waits it is not tried against the same victim again",
          ),
        },
        {
          id: "11.5-2",
          says: "Only as many leave as must, the least important first, and nobody if it would not help.",
          above: [
            ...making(
              "only as many leave as must, the least important first",
              "who cannot be helped by any victim drives nobody out",
              "nobody of the same or a higher priority leaves, and a Pod that shall not preempt waits",
            ),
            ...leaves("the least important", "of equals the younger", "nobody if it would not be enough"),
          ],
        },
        {
          id: "11.5-3",
          says: "Disruption budgets are respected where there is another way.",
          above: making(
            "the node is chosen where no disruption budget is broken",
            "where there is no other way a budget is broken",
          ),
        },
        {
          id: "11.5-4",
          says: "Room that is being made is taken for Pods that are not more important.",
          above: making(
            "nobody of lower priority slips into the room that is being made",
            "a more important Pod takes over the room, and who was nominated before looks elsewhere",
          ),
        },
        {
          id: "11.5-5",
          says: "A nomination ends when its node is lost.",
          above: making("when the nominated node is lost the Pod goes elsewhere, and its nomination ends"),
        },
      ],
    },
  ],
};
