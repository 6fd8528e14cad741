import { type Chapter, testsOf } from "./rule.ts";

const update = testsOf("src/api/core/v1/validate-pod-update.test.ts", "an update of a Pod");
const spec = testsOf("src/api/core/v1/validate-pod.test.ts", "a Pod's spec");
const container = testsOf("src/api/core/v1/validate-pod.test.ts", "a container");
const init = testsOf("src/api/core/v1/validate-pod.test.ts", "an init container");
const volume = testsOf("src/api/core/v1/validate-pod.test.ts", "a volume");
const scheduling = testsOf("src/api/core/v1/validate-pod.test.ts", "scheduling");
const defaults = testsOf("src/api/core/v1/default-pod.test.ts", "a Pod's defaults");
const admission = testsOf("test/apiserver/admission.test.ts");
const binding = testsOf("test/apiserver/subresources.test.ts", "binding");
const staticPod = testsOf("src/kubelet/static-pod.test.ts", "a static Pod");
const mirrors = testsOf("src/kubelet/static-pod-plan.test.ts");
const wholeLife = "live as their folder says, through ends of lifepod and of their mirrors";
const staticLife = {
  process: testsOf("test/end-to-end/static-pods.test.ts", "static Pods on process")(wholeLife),
  containerd: testsOf("test/end-to-end/static-pods.test.ts", "static Pods on containerd")(wholeLife),
};

export const podApi: Chapter = {
  number: 15,
  title: "The Pod in the API",
  parts: [
    {
      number: "15.1",
      title: "What may be changed",
      rules: [
        {
          id: "15.1-1",
          says: "The image of a container or an init container may be changed, to anything but nothing.",
          above: update(
            "may change an image",
            "may change the image of an init container",
            "may not change an image to nothing",
          ),
        },
        {
          id: "15.1-2",
          says: "`activeDeadlineSeconds` may be set or lowered, never raised or removed.",
          above: update(
            "may change a deadline that was not there",
            "may change a deadline to an earlier one",
            "may not change a deadline to a later one",
            "may not change a deadline to none",
          ),
        },
        {
          id: "15.1-3",
          says: "Tolerations may be added; of existing ones only `tolerationSeconds` may change.",
          above: update(
            "may change the tolerations to more of them",
            "may change how long it tolerates",
            "may not change a toleration",
          ),
        },
        {
          id: "15.1-4",
          says: "A negative `terminationGracePeriodSeconds` may be changed to 1, nothing else.",
          above: update(
            "may change a negative grace period to 1",
            "may not change a positive grace period, and shows the difference",
          ),
        },
        {
          id: "15.1-5",
          says: "Scheduling gates may only be removed.",
          above: update(
            "may change the gates to fewer of them",
            "may change the gates to none",
            "may not change the gates to others",
          ),
        },
        {
          id: "15.1-6",
          says: "While a Pod is gated its node selector and required affinity may become narrower, and its preferences may change.",
          above: update(
            "may change the node selector of a gated Pod to more",
            "may change the affinity of a gated Pod from none",
            "may change a term of a gated Pod to more",
            "may change the wishes of a gated Pod",
            "may not change the node selector of a gated Pod to another",
            "may not change a term of a gated Pod to another",
            "may not change the terms of a gated Pod to none",
            "may not change the node selector of a Pod without gates, and shows the difference",
          ),
        },
        {
          id: "15.1-7",
          says: "Everything else in the spec stays: 422, with what may change and with the difference.",
          above: update(
            "may not change a node name, and shows the difference",
            "may not change a request, and shows the difference",
            "may not change a probe, and shows the difference",
            "may not change a volume, and shows the difference",
            "shows what would have changed",
          ),
        },
        {
          id: "15.1-8",
          says: "Containers are neither added nor removed.",
          above: update("may not change the number of containers", "may not change the number of init containers"),
        },
        {
          id: "15.1-9",
          says: "Annotations may change, but for the marks of mirror Pods and of AppArmor.",
          above: update("lets the annotations *"),
        },
        {
          id: "15.1-10",
          says: "A Pod is bound once: not a gated or a deleted one, not to something that is no node, and of two schedulers one wins.",
          above: binding(
            "refuses a Pod that is being deleted",
            "refuses a gated Pod",
            "refuses another kind of target",
            "refuses no target",
            "lets one of two schedulers win",
          ),
        },
      ],
    },
    {
      number: "15.2",
      title: "What is valid",
      rules: [
        {
          id: "15.2-1",
          says: "A Pod has at least one container; names are DNS labels, each once in the Pod.",
          above: [
            ...spec("may not have no container", "may have nothing but a container"),
            ...container("may not have a bad name", "has a name of its own"),
          ],
          fields: ["PodSpec.containers"],
        },
        {
          id: "15.2-2",
          says: "An image has no blanks around it.",
          above: [...container("may not have blanks around its image"), ...init("has no blanks around its image")],
        },
        {
          id: "15.2-3",
          says: "Restart policy, DNS policy, pull policy and message policy are one of those that exist.",
          above: [
            ...spec(
              "may not have an unknown restart policy",
              "may not have an unknown DNS policy",
              "may not have an unknown preemption policy",
            ),
            ...container("may not have an unknown pull policy", "may not have an unknown message policy"),
          ],
        },
        {
          id: "15.2-4",
          says: "A regular container has no restart policy of its own.",
          above: container("may not have a restart policy"),
        },
        {
          id: "15.2-5",
          says: "`activeDeadlineSeconds` is 1 to 2147483647.",
          above: spec(
            "may have a deadline of a second",
            "may not have a deadline of zero",
            "may not have a deadline beyond 32 bits",
          ),
        },
        {
          id: "15.2-6",
          says: "A negative `terminationGracePeriodSeconds` is accepted, with a warning.",
          above: spec("may have a negative grace period"),
        },
        {
          id: "15.2-7",
          says: "Ports are 1 to 65535, TCP, UDP or SCTP, their names short and each once; a host port is used once for a protocol, and on the node's network it is the container's.",
          above: container(
            "may not have a port beyond all ports",
            "may not have a port without a number",
            "may not have a host port beyond all ports",
            "may not have an unknown protocol",
            "may not have a port name twice",
            "may not have a long port name",
            "may not have a host port twice",
            "may have the same host port for two protocols",
            "on the node's network has the node's ports",
          ),
        },
        {
          id: "15.2-8",
          says: "A variable has a name without `=`, and a value or one source.",
          above: container(
            "may not have a variable without a name",
            "may not have a variable with =",
            "may not have a variable from nowhere",
            "may not have a variable with two values",
            "may not have a variable with two sources",
          ),
        },
        {
          id: "15.2-9",
          says: "A field or resource that a variable shows exists, and can be shown.",
          above: container(
            "may not have a field that no variable shows",
            "may not have a field that does not exist",
            "may not have a field of another version",
            "may not have one of several names",
            "may not have no field",
            "may not have an unknown resource field",
            "may not have an odd divisor",
          ),
        },
        {
          id: "15.2-10",
          says: "Volumes have names, each once, and one source; a mount is of a volume that exists, at a path of its own, and of a part within it.",
          above: volume(
            "may not have no name",
            "may not have a bad name",
            "has a name of its own",
            "may not have two sources",
            "has a mount of an unknown volume",
            "has a mount in one place twice",
            "has a mount of an absolute part",
            "has a mount of a climbing part",
            "has a mount of two parts",
          ),
        },
        {
          id: "15.2-11",
          says: "Host names and subdomains are DNS labels, aliases valid names of valid addresses.",
          above: spec(
            "may not have a bad host name",
            "may not have a subdomain with dots",
            "may not have an alias for no address",
            "may not have a bad alias",
          ),
        },
        {
          id: "15.2-12",
          says: "`dnsPolicy: None` needs a name server; there are three at most.",
          above: spec(
            "may not have no DNS settings where they are needed",
            "may not have no name server where one is needed",
            "may not have four name servers",
            "may not have a name server that is no address",
            "may not have an option without a name",
          ),
        },
        {
          id: "15.2-13",
          says: "A Pod with scheduling gates names no node; gates are qualified names, each once.",
          above: [
            ...spec("may not have a node and gates"),
            ...scheduling("may not ask for a gate twice", "may not ask for a nameless gate"),
          ],
        },
        {
          id: "15.2-14",
          says: "A toleration without a key tolerates everything with Exists; Exists has no value; `tolerationSeconds` is for NoExecute.",
          above: scheduling(
            "may not ask for a toleration of everything but with a value",
            "may not ask for a toleration without a key",
            "may not ask for a limited toleration of NoSchedule",
            "may not ask for an unknown toleration",
            "may not ask for an unknown effect",
            "may ask for every taint",
          ),
          fields: ["PodSpec.tolerations", "Toleration"],
        },
        {
          id: "15.2-15",
          says: "A request is not above its limit and not negative; huge pages and devices are requested as limited.",
          above: container(
            "may not have a request above its limit",
            "may not have a negative request",
            "may not have fewer devices than its limit",
            "may not have a device without a limit",
            "may not have huge pages alone",
            "may not have half a device",
          ),
        },
        {
          id: "15.2-16",
          says: "`os.name` is linux or windows, and forbids the other's fields.",
          above: spec(
            "may have linux",
            "may not have an unknown operating system",
            "may not have an empty operating system",
            "may not have windows options on linux",
            "may not have linux fields on windows",
          ),
        },
        {
          id: "15.2-17",
          says: "A Pod names a priority class and a service account that exist.",
          above: admission(
            "priority > refuses an unknown class",
            "priority > refuses a number of its own",
            "service accounts > refuses a Pod whose account does not exist, at once",
          ),
          fields: [
            "PodSpec.priority",
            "PodSpec.priorityClassName",
            "PodSpec.serviceAccountName",
            "PodSpec.serviceAccount",
          ],
        },
        {
          id: "15.2-18",
          says: "Users and groups are not negative, and privileges do not contradict each other.",
          above: [
            ...spec(
              "may not have a negative user",
              "may not have a negative group",
              "may not have two process namespaces",
            ),
            ...container(
              "may not have a bad user",
              "may not have privileges it must not gain",
              "may not have the power over the system without escalation",
            ),
          ],
        },
        {
          id: "15.2-19",
          says: "Everything that is wrong is told at once, one cause for each field.",
          above: spec("is told everything at once"),
        },
      ],
    },
    {
      number: "15.3",
      title: "What is filled in",
      rules: [
        {
          id: "15.3-1",
          says: "`restartPolicy` Always, 30 seconds of grace, ClusterFirst, the default scheduler, an empty security context, service links: what the smallest Pod is completed with.",
          above: defaults(
            "complete the smallest Pod",
            "keep a restart policy",
            "keep a grace period of zero",
            "keep service links off",
          ),
          fields: ["PodSpec.schedulerName", "PodSpec.securityContext", "Container.securityContext"],
        },
        {
          id: "15.3-2",
          says: "What is complete already is not changed.",
          above: defaults(
            "apply to what is already complete without a change",
            "change nothing in what they were given",
          ),
        },
        {
          id: "15.3-3",
          says: "A Pod without a service account gets `default`, and that account's pull secrets if it has none of its own.",
          above: admission(
            "service accounts > runs a Pod as the default one",
            "service accounts > gives a Pod the pull secrets of its account, unless it has its own",
          ),
        },
        {
          id: "15.3-4",
          says: "It tolerates a node that is not ready or unreachable for 300 seconds, unless it says otherwise.",
          above: admission("default tolerations: *"),
        },
        {
          id: "15.3-5",
          says: "Its priority is that of its class.",
          above: admission(
            "priority > with no class",
            "priority > with a built-in class",
            "priority > with its own number if it is the right one",
          ),
        },
        {
          id: "15.3-6",
          says: "Ports are TCP, and on the host's network their own host ports.",
          above: defaults("give ports a protocol, and on the host's network a host port"),
        },
        {
          id: "15.3-7",
          says: "A limit without a request is the request, too; amounts are rounded up to thousandths.",
          above: defaults(
            "resources request what is limited",
            "resources keep requests",
            "resources limit nothing that is requested",
            "resources are rounded up to thousandths",
          ),
        },
        {
          id: "15.3-8",
          says: "With limits of its own a Pod requests what its containers request, or else the limit.",
          above: defaults("the Pod's own resources *"),
        },
        {
          id: "15.3-9",
          says: "A volume without a source is an emptyDir; files of a ConfigMap, Secret or downwardAPI have the mode 0644; references to fields are of v1.",
          above: defaults(
            "a volume without a source is empty",
            "a volume of a secret has a mode",
            "a volume of a config map keeps its mode",
            "a volume of a host path has a type",
            "a volume of fields has a mode and versions",
            "a volume of several sources has all that",
            "name the version in references to fields",
          ),
        },
      ],
    },
    {
      number: "15.5",
      title: "Static Pods",
      rules: [
        {
          id: "15.5-1",
          says: "A manifest in the node's folder is a Pod that is named after its node; its uid stands for its content and its place; it tolerates every effect `NoExecute`.",
          decision: staticPod(
            "is named after its node, and bears where it comes from",
            "tolerates whatever drives Pods away, and what its manifest says besides",
            "keeps its uid for the same content at the same place, whenever it is read",
          ),
          stories: ["a manifest in the node's folder becomes a Pod, and the API shows its mirror"],
          on: staticLife,
        },
        {
          id: "15.5-2",
          says: "The API shows it by a mirror with the annotation `kubernetes.io/config.mirror`, owned by the Node; logs and streams asked of the mirror are the Pod's.",
          decision: mirrors("shows what runs", "leaves what is as it should be"),
          stories: ["a manifest in the node's folder becomes a Pod, and the API shows its mirror"],
          on: staticLife,
        },
        {
          id: "15.5-3",
          says: "A mirror that is deleted is made again, and the Pod goes on.",
          decision: mirrors("makes a mirror that is being deleted go at once"),
          stories: ["who deletes a mirror gets a new one, and the Pod goes on"],
          on: staticLife,
        },
        {
          id: "15.5-4",
          says: "Another content is another Pod, which starts when the one before it has ended with its grace; the mirror is another, too.",
          decision: mirrors(
            "ends what is asked for otherwise",
            "waits for the end, also with the next one",
            "removes the mirror of another content",
            "starts it also while the mirror of another is there",
          ),
          stories: ["a changed manifest is another Pod: the old one ends with its grace before the new one starts"],
          on: staticLife,
        },
        {
          id: "15.5-5",
          says: "When its manifest is taken away the Pod ends with its grace, and its mirror goes after it.",
          decision: mirrors(
            "ends what is no longer asked for",
            "keeps the mirror until the end",
            "removes a mirror of nothing",
          ),
          stories: ["a manifest that is taken away ends its Pod, and its mirror goes after it"],
          on: staticLife,
        },
        {
          id: "15.5-6",
          says: "A kubelet that was restarted finds its static Pods running, and ends those whose manifest has gone or changed.",
          decision: mirrors("starts what is asked for"),
          stories: ["a new kubelet finds its static Pods running, and ends those whose manifest has gone meanwhile"],
          on: staticLife,
        },
        {
          id: "15.5-7",
          says: "Its containers restart as its restart policy says; one that has ended under Never stays so, and taints do not drive it away.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "static Pods",
          )("a crash is restarted, an end under Never stays an end, and an effect NoExecute drives nothing away"),
          stories: [
            "a crash is restarted, an end under Never stays an end, and an effect NoExecute drives nothing away",
          ],
        },
        {
          id: "15.5-8",
          says: "It may not refer to service accounts, Secrets, ConfigMaps or other objects of the API; what is no Pod or not valid does not run, and is told.",
          above: staticPod("cannot be made of *", "may have volumes and variables that need no API"),
          stories: ["what is no Pod, not valid, or refers to the API, does not run; the others do"],
        },
        {
          id: "15.5-9",
          says: "A mirror Pod may not refer to service accounts, Secrets or tokens, and gets no account.",
          above: admission(
            "service accounts > gives none to a mirror Pod",
            "service accounts > refuses a mirror Pod with *",
          ),
        },
        {
          id: "15.5-10",
          says: "The folder is looked at every 20 s, and soon after a change.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "static Pods",
          )("changes are found without word of them, at the next look"),
          stories: ["changes are found without word of them, at the next look"],
        },
      ],
    },
  ],
};
