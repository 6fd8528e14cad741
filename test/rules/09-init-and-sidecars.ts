import { comingBack, example, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const init = testsOf("src/kubelet/pod-actions.test.ts", "init containers");
const sidecar = testsOf("src/kubelet/pod-actions.test.ts", "sidecars");
const ephemeral = testsOf("src/kubelet/pod-actions.test.ts", "ephemeral containers");
const ephemeralUpdate = testsOf("src/api/core/v1/validate-pod-update.test.ts", "an update of the ephemeral containers");
const subresource = testsOf("test/apiserver/subresources.test.ts", "ephemeralcontainers");
const story = testsOf("test/scenarios/stories.test.ts", "ephemeral containers");
const seesTarget = "a guest sees the processes of the container that it is sent to";
const guest = {
  process: testsOf("test/end-to-end/containers.test.ts", "on process")(seesTarget),
  containerd: testsOf("test/end-to-end/containers.test.ts", "on containerd")(seesTarget),
};
const initRules = testsOf("src/api/core/v1/validate-pod.test.ts", "an init container");
const requests = testsOf("src/api/core/v1/pod-requests.test.ts", "what a Pod asks for");
const initializing = testsOf("test/kubelet/initializing.test.ts");
const flags = testsOf("src/kubelet/container-statuses.test.ts", "started and ready");

export const initAndSidecars: Chapter = {
  number: 9,
  title: "Init containers, sidecars, ephemeral containers",
  parts: [
    {
      number: "9.1",
      title: "Init containers",
      rules: [
        {
          id: "9.1-1",
          says: "Init containers run to their end, one after another, before any regular container.",
          decision: initializing("init containers > run one after the other before the regular ones"),
          stories: ["init containers run to their end one after another before the app starts"],
          on: example("init-containers.yaml"),
        },
        {
          id: "9.1-2",
          says: "One that fails is run again with back-off while the Pod stays Pending; kubectl shows `Init:Error`, then `Init:CrashLoopBackOff`.",
          decision: [
            ...initializing("init containers > are tried again with back-off when they fail"),
            ...testsOf("src/apiserver/tables/pod-table.test.ts", "the status of a Pod (pod-lifecycle 1.5)")(
              "rule 4: an init container that failed, with a reason",
              "rule 4: an init container that waits for a reason",
            ),
          ],
          stories: ["a failing init container is restarted with back-off while the Pod is Pending, until it succeeds"],
        },
        {
          id: "9.1-3",
          says: "Under Never one that fails fails the Pod, and the app never starts.",
          decision: [
            ...init("end the Pod when they fail and the policy is Never"),
            ...initializing("init containers > fail the Pod when they fail and nothing is restarted"),
          ],
          stories: ["under Never a failed init container fails the Pod, and its app never starts"],
        },
        {
          id: "9.1-4",
          says: "One that was killed for lack of memory has failed, whatever its exit code.",
          above: init("are restarted when memory ran out, whatever the exit code"),
          stories: ["an init container that is killed for lack of memory has failed"],
        },
        {
          id: "9.1-5",
          says: "One that has succeeded is not run again when the app is restarted.",
          decision: init("do not matter once a regular container runs"),
          stories: ["under OnFailure init containers that succeeded are not run again when the app is restarted"],
          on: wholeLife,
        },
        {
          id: "9.1-6",
          says: "All run again in a new sandbox.",
          decision: testsOf(
            "test/kubelet/ending.test.ts",
            "restarting",
          )("makes a new sandbox when the old one is gone, and starts from the first init container"),
          stories: ["when its sandbox dies a Pod gets a new one, initializes again and starts all containers"],
        },
        {
          id: "9.1-7",
          says: "A restart of the kubelet lets the running one go on, and runs none twice.",
          stories: [
            "a kubelet that is started again during an init container goes on there and runs no init container twice",
          ],
          on: comingBack,
        },
        {
          id: "9.1-8",
          says: "It is `started` while it runs and `ready` when it has succeeded.",
          above: flags("mean for an init container that it runs, and that it has succeeded"),
        },
        {
          id: "9.1-9",
          says: "It has neither probes nor hooks.",
          above: initRules("that runs to completion has neither hooks nor probes"),
        },
        {
          id: "9.1-10",
          says: "Its name is unlike that of every other container of the Pod.",
          above: testsOf("src/api/core/v1/validate-pod.test.ts", "a container")("has a name of its own"),
          fields: ["Container.name"],
        },
      ],
    },
    {
      number: "9.2",
      title: "Sidecars",
      rules: [
        {
          id: "9.2-1",
          says: "An init container with `restartPolicy: Always` is a sidecar; no other policy is accepted.",
          above: initRules("that keeps running has them all", "does not restart OnFailure", "does not restart Never"),
          fields: ["Container.restartPolicy"],
        },
        {
          id: "9.2-2",
          says: "A sidecar starts in its turn among the init containers; the next one follows as soon as it runs and its postStart hook is through.",
          decision: sidecar(
            "let the next one start as soon as they run",
            "let the regular containers start when they are the last",
          ),
          stories: ["a sidecar starts before the next init container and runs beside the app"],
          on: example("sidecar.yaml"),
        },
        {
          id: "9.2-3",
          says: "A startup probe of the sidecar holds the next one back until it succeeds.",
          decision: sidecar(
            "hold up the next one until the startup probe succeeds",
            "let the next one start after the startup probe",
          ),
          stories: ["a sidecar's startup probe holds back what comes after it"],
        },
        {
          id: "9.2-4",
          says: "Its liveness probe does not hold back the next one.",
          above: sidecar("do not hold up the next one by a failed liveness probe"),
        },
        {
          id: "9.2-5",
          says: "A sidecar is restarted whenever it ends, under every policy, with back-off; the Pod is not Ready meanwhile and stays Initialized.",
          decision: [
            ...sidecar(
              "are restarted while a later init container runs",
              "are restarted after initialization",
              "are restarted under Never",
              "are started when their record is missing",
            ),
            ...initializing("sidecars > are restarted with back-off when they end by themselves, also under Never"),
          ],
          stories: [
            "a sidecar that ends is restarted with back-off, even under Never; meanwhile its Pod is not Ready and stays initialized",
          ],
        },
        {
          id: "9.2-6",
          says: "A sidecar that fails its liveness or startup probe is restarted alone, also under Never.",
          decision: sidecar("are restarted when the startup probe fails, also under Never"),
          stories: ["a sidecar that fails its liveness probe is restarted alone"],
        },
        { id: "9.2-7", says: "A changed image restarts it.", above: sidecar("are restarted when their image changed") },
        {
          id: "9.2-8",
          says: "When all regular containers are done the sidecars are stopped, and the Pod has Succeeded or Failed by its regular containers.",
          decision: initializing("sidecars > run from their turn on until the others have ended"),
          stories: [
            "when the work of a Pod is done its sidecar is stopped and the Pod has Succeeded, whatever the sidecar's exit code",
          ],
          on: example("sidecar.yaml"),
        },
        {
          id: "9.2-9",
          says: "A sidecar counts for Ready and ContainersReady like a regular container.",
          above: testsOf("src/kubelet/conditions.test.ts")(
            "ContainersReady > is True when all are ready, sidecars too",
            "ContainersReady > names who is unknown and who is unready, sidecars first",
          ),
        },
      ],
    },
    {
      number: "9.3",
      title: "Ephemeral containers",
      rules: [
        {
          id: "9.3-1",
          says: "A Pod is not created with ephemeral containers, and gets none by an ordinary update.",
          above: [
            ...testsOf("src/api/core/v1/validate-pod.test.ts", "a Pod's spec")("may not have ephemeral containers"),
            ...subresource("is not what an ordinary update is for"),
          ],
          fields: ["PodSpec.ephemeralContainers"],
        },
        {
          id: "9.3-2",
          says: "They are added through `pods/ephemeralcontainers`, which changes nothing else and counts in the generation; what was added is neither changed nor removed.",
          above: [
            ...subresource(
              "adds to the Pod's ephemeral containers by their names, completes them, and counts the change",
              "changes nothing else, whatever else a PUT brings",
              "refuses to change or remove what was added, and a missing Pod",
            ),
            ...ephemeralUpdate(
              "may add some",
              "may not remove one",
              "may not change one, and shows the difference",
              "may not repeat a name",
            ),
          ],
        },
        {
          id: "9.3-3",
          says: "They have no ports, resources, probes, hooks, restart policy or parts of volumes.",
          above: [
            ...ephemeralUpdate(
              "may not have ports",
              "may not have resources",
              "may not have probes",
              "may not have hooks",
              "may not have a restart policy",
              "may not mount a part of a volume",
            ),
            ...subresource(
              "refuses ports",
              "refuses a probe",
              "refuses hooks",
              "refuses resources",
              "refuses raw devices",
              "refuses no image",
            ),
          ],
        },
        {
          id: "9.3-4",
          says: "`targetContainerName` names a container of the Pod, and the name of the new one is unlike all others.",
          above: [
            ...ephemeralUpdate("may not aim at nothing"),
            ...subresource("refuses a target that is not there", "refuses the name of another container"),
          ],
          fields: ["EphemeralContainer"],
        },
        {
          id: "9.3-5",
          says: "They are not for static Pods.",
          above: ephemeralUpdate("is not for static Pods"),
        },
        {
          id: "9.3-6",
          says: "One that is added to a running Pod is started, and never started again when it has ended.",
          decision: ephemeral("are never restarted"),
          stories: ["an ephemeral container starts in a running Pod, ends, and is never started again"],
          on: guest,
        },
        {
          id: "9.3-7",
          says: "It does not wait for init containers.",
          above: ephemeral("are started before initialization is complete"),
          stories: ["it does not wait for init containers"],
        },
        {
          id: "9.3-8",
          says: "It sees the processes of the container that it targets; while that has not been made it waits with `CreateContainerConfigError`.",
          decision: testsOf(
            "src/kubelet/container-config.test.ts",
            "who a container runs as",
          )("joins the processes of an ephemeral container's target"),
          stories: ["whose target has not been made yet, it waits for it and says so"],
          on: guest,
        },
        {
          id: "9.3-9",
          says: "It has no say in the Pod's phase and readiness, however it fares.",
          above: story("it may come while its Pod is in a crash loop, and says nothing about phase and readiness"),
          stories: ["it may come while its Pod is in a crash loop, and says nothing about phase and readiness"],
        },
        {
          id: "9.3-10",
          says: "Its image is tried again until it comes, and the Pod stays Ready meanwhile.",
          above: story("its image is tried again until it comes; meanwhile the Pod stays Ready"),
        },
        {
          id: "9.3-11",
          says: "It is ended when the work of its Pod is done, and with the Pod's grace when the Pod is deleted.",
          decision: story("deletion ends it with the grace of its Pod"),
          stories: [
            "when the work of its Pod is done it is ended, and how it ends does not count",
            "deletion ends it with the grace of its Pod",
          ],
          contract: ["kills all containers of a sandbox that is stopped and takes no new ones in it"],
        },
        {
          id: "9.3-12",
          says: "A kubelet that was restarted finds it running, and does not start again what has ended.",
          decision: story("a new kubelet finds it running, and does not start again what has ended"),
          stories: ["a new kubelet finds it running, and does not start again what has ended"],
          contract: ["finds everything again after it was opened anew, and what ended meanwhile"],
        },
        {
          id: "9.3-13",
          says: "`kubectl debug` does its part in all its forms: into a Pod, at a container, with a copy of the Pod, and on a node.",
          above: testsOf("test/transcripts/pods.test.ts")("debug > *"),
          on: {
            process: testsOf(
              "test/end-to-end/containers.test.ts",
              "on process",
            )("a debugging Pod sees its node's files and processes"),
            containerd: testsOf(
              "test/end-to-end/containers.test.ts",
              "on containerd",
            )("a debugging Pod sees its node's files and processes"),
          },
        },
      ],
    },
    {
      number: "9.4",
      title: "What a Pod asks for",
      rules: [
        {
          id: "9.4-1",
          says: "The requests of regular containers and of sidecars add up.",
          above: requests("regular containers add up", "sidecars add to the regular ones"),
        },
        {
          id: "9.4-2",
          says: "An init container counts with the sidecars before it, and only if that is more.",
          above: requests(
            "the largest init container counts if it needs more",
            "a small init container counts nothing",
            "an init container adds to the sidecars before it",
            "and not to those after it",
            "sidecars alone can need most",
          ),
        },
        {
          id: "9.4-3",
          says: "The Pod's own requests for CPU, memory and huge pages replace the sum.",
          above: requests(
            "the Pod's own requests replace the sum",
            "the Pod's own requests count only for cpu, memory and hugepages",
          ),
          fields: ["PodSpec.resources"],
        },
        {
          id: "9.4-4",
          says: "Overhead comes on top, for limits only where there is one.",
          above: requests("overhead comes on top", "has limits, to which overhead is added only where there is one"),
        },
      ],
    },
  ],
};
