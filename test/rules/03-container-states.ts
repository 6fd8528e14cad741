import { comingBack, cri, example, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const state = testsOf("src/kubelet/container-statuses.test.ts", "the state of a container");
const failedStart = testsOf("src/kubelet/container-statuses.test.ts", "a start that failed");
const flags = testsOf("src/kubelet/container-statuses.test.ts", "started and ready");
const other = testsOf("src/kubelet/container-statuses.test.ts", "the other fields");
const words = testsOf("src/kubelet/ending-decisions.test.ts", "last words");
const logs = testsOf("src/kubelet/ending-decisions.test.ts", "whose log answers");
const apiLogs = testsOf("test/apiserver/subresources.test.ts", "logs");
const backOffText = testsOf("src/kubelet/back-off.test.ts");
const images = testsOf("src/kubelet/container-config.test.ts", "images");

export const containerStates: Chapter = {
  number: 3,
  title: "Container states",
  parts: [
    {
      number: "3.1",
      title: "From what the runtime says to what the API shows",
      rules: [
        {
          id: "3.1-1",
          says: "A container that does not exist yet waits with `ContainerCreating`, or with `PodInitializing` in a Pod with init containers.",
          above: state("waits for its creation", "waits for the Pod's initialization"),
        },
        {
          id: "3.1-2",
          says: "A container that is created and not started waits without a reason.",
          above: state("waits without a reason when it was created only"),
        },
        {
          id: "3.1-3",
          says: "A container that runs shows since when.",
          decision: state("runs"),
          contract: ["takes a container from created to running to exited, with times in order"],
        },
        {
          id: "3.1-4",
          says: "A container that has exited is terminated, with its exit code, reason, times and id.",
          decision: state("has ended"),
          contract: [
            "takes a container from created to running to exited, with times in order",
            "keeps exit code 1",
            "keeps exit code 3",
            "keeps exit code 126",
            "keeps exit code 255",
          ],
        },
        {
          id: "3.1-5",
          says: "A container that ran and whose state the runtime no longer knows is terminated with `ContainerStatusUnknown`, 137, and counts as one more restart; one that never ran waits.",
          above: state(
            "is lost when the runtime no longer knows what ran",
            "waits when its state is unknown and it was not running",
          ),
        },
        {
          id: "3.1-6",
          says: "A container that ran and is no longer listed waits again, with `ContainerStatusUnknown` as its last state and one more restart, unless the Pod is being deleted.",
          above: state(
            "waits again when the record of a running one is gone, and says so in its last state",
            "does not count that as a restart when the Pod is being deleted",
          ),
        },
        {
          id: "3.1-7",
          says: "A container that was shown as terminated stays so when its record is gone.",
          above: state("stays ended when the record is gone"),
        },
        {
          id: "3.1-8",
          says: "`lastState` is how the instance before ended.",
          decision: state(
            "shows the end of the instance before as its last state",
            "keeps the last state while its record is gone and the same instance runs",
          ),
          stories: ["the restart count and the last state survive many restarts: only the newest end is kept"],
          contract: ["runs several instances of one container side by side with their own state"],
        },
        {
          id: "3.1-9",
          says: "A container whose start failed and that will be started again waits with that failure as its reason; its end moves to `lastState`.",
          above: failedStart(
            "is what a container waits for, with its end pushed aside",
            "is not shown for a container that runs",
            "is not shown for a container that will not be started again",
          ),
        },
        {
          id: "3.1-10",
          says: "A failed start is shown neither for an init container that has succeeded nor in a Pod that is being deleted.",
          above: failedStart(
            "never covers an init container that has succeeded",
            "is not shown for a container that belongs to a Pod that is being deleted",
          ),
        },
      ],
    },
    {
      number: "3.2",
      title: "Why a container waits",
      rules: [
        {
          id: "3.2-1",
          says: "`CrashLoopBackOff`: the restart is being held back, and the message says by how much and which container of which Pod.",
          decision: backOffText("back-off > runs until its step after the exit is over"),
          stories: [
            "between crashes the container waits in CrashLoopBackOff, its last end in lastState, its Pod Running and not Ready",
          ],
          on: wholeLife,
        },
        {
          id: "3.2-2",
          says: "`ErrImagePull`: pulling the image failed, in the registry's words.",
          stories: ["a failed pull is ErrImagePull, then ImagePullBackOff, and is tried again until it succeeds"],
          contract: ["fails to pull an image that does not exist, and does not have it then"],
        },
        {
          id: "3.2-3",
          says: "`ImagePullBackOff`: the next pull is being held back, and the message repeats the last error.",
          stories: [
            "pulls that keep failing are spaced by 10, 20, 40, 80, 160, 300 and 300 seconds; the Pod stays Pending",
          ],
          contract: ["fails to pull an image that does not exist, and does not have it then"],
        },
        {
          id: "3.2-4",
          says: "`ErrImageNeverPull`: the image is absent and must not be pulled.",
          decision: images("with Never, present: false: neverPull"),
          stories: ["under Never an absent image is ErrImageNeverPull, until somebody brings it"],
          contract: ["fails to pull an image that does not exist, and does not have it then"],
        },
        {
          id: "3.2-5",
          says: "`InvalidImageName`: what stands in `image` is no image reference.",
          above: images("NGINX is no image", "a b is no image", "a:b:c is no image"),
          stories: ["a name that is no image reference is InvalidImageName, and is told so"],
        },
        {
          id: "3.2-6",
          says: "`CreateContainerConfigError`: something that the container is made from is missing or forbidden, such as a ConfigMap, a Secret, a key, or a user other than root.",
          above: testsOf("src/kubelet/environment.test.ts", "a container's environment")(
            "cannot be made when a ConfigMap is missing",
            "cannot be made when a Secret is missing",
            "cannot be made when a key is missing",
            "cannot be made when a key of a Secret is missing",
          ),
          stories: [
            "a missing ConfigMap holds the container in CreateContainerConfigError, and it starts when the ConfigMap appears",
          ],
        },
        {
          id: "3.2-7",
          says: "`CreateContainerError`: the runtime could not make the container.",
          stories: ["a container that cannot be created is CreateContainerError, and starts when it can"],
          on: {
            process: testsOf(
              "src/runtimes/process/requirements.test.ts",
              "what a process cannot have",
            )("a terminal is refused by name, with a way out"),
            containerd: testsOf(
              "test/containerd/cri-client.test.ts",
              "the CRI runtime and a runtime that is played > requests",
            )("counts what is gone as stopped and removed, and other failures as failures"),
          },
        },
        {
          id: "3.2-8",
          says: "`RunContainerError`: the runtime could not start the process of the container.",
          stories: ["a command that is not there is RunContainerError: the container ends with 128 and StartError"],
          contract: ["leaves a container exited with 128 and StartError when its process cannot be started"],
        },
        {
          id: "3.2-9",
          says: "`PostStartHookError`: the postStart hook failed and the container was killed.",
          stories: ["a failed postStart hook kills the container, which is PostStartHookError and starts again"],
          contract: ["runs a command in a container and gives back its output and exit code"],
        },
        {
          id: "3.2-10",
          says: "A sandbox that cannot be made never becomes a container's reason; events tell of it.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "kubelet and runtime",
          )("a sandbox that cannot be made is told and tried again until it can"),
        },
      ],
    },
    {
      number: "3.3",
      title: "Why a container ended",
      rules: [
        {
          id: "3.3-1",
          says: "`Completed` with exit code 0, `Error` with any other.",
          stories: [
            "a Pod whose only container ends well is Succeeded under OnFailure, and its conditions say completed",
          ],
          on: wholeLife,
        },
        {
          id: "3.3-2",
          says: "`OOMKilled` when the kernel killed the container for its memory limit.",
          stories: ["a container that is killed for lack of memory is OOMKilled and restarted"],
          on: {
            containerd: cri(
              "what happens to a Pod > says OOMKilled, and tells of it at once, when a container outgrows its memory",
            ),
          },
          cannot: { process: "the memory of processes is not limited" },
        },
        {
          id: "3.3-3",
          says: "`StartError` with exit code 128 when its process could not be started; the message says why.",
          contract: ["leaves a container exited with 128 and StartError when its process cannot be started"],
        },
        {
          id: "3.3-4",
          says: "A process that was ended by signal N shows 128 + N: 137 when killed.",
          stories: ["a container that ignores TERM is killed when the grace is over"],
          contract: [
            "kills a container that ignores TERM when its time is up and not before",
            "kills at once with a time limit of zero",
          ],
        },
        {
          id: "3.3-5",
          says: "A process that catches TERM and ends by itself shows its own exit code.",
          stories: [
            "the last phase of a deleted Pod with a container that handles TERM and exits 0 is Succeeded",
            "the last phase of a deleted Pod with a container that fails on TERM is Failed",
          ],
          contract: ["keeps the exit code of a container that handles TERM"],
        },
      ],
    },
    {
      number: "3.5",
      title: "The other fields of a container status",
      rules: [
        {
          id: "3.5-1",
          says: "`containerID` names the newest instance, `<runtime>://<id>`.",
          above: other("reads a container id back"),
        },
        {
          id: "3.5-2",
          says: "`restartCount` is the number of the current instance, 0 for the first; it goes on over a restart of the kubelet.",
          stories: ["restart counts and the crash back-off go on when the kubelet is started again in the middle"],
          on: comingBack,
        },
        {
          id: "3.5-3",
          says: "`started` is true while the container runs and its startup probe, if any, has succeeded.",
          above: flags(
            "not before the startup probe's success",
            "not before the startup probe's success, though ready",
            "started, and not ready before the readiness probe's success",
          ),
        },
        {
          id: "3.5-4",
          says: "`ready` is true while the container runs, has started and its readiness probe, if any, succeeds; a sidecar is judged the same.",
          above: flags(
            "started, and not ready before the readiness probe's success",
            "both",
            "mean for a sidecar the same as for a regular container",
          ),
        },
        {
          id: "3.5-5",
          says: "For a regular init container `started` means that it runs, `ready` that it has succeeded.",
          above: flags("mean for an init container that it runs, and that it has succeeded"),
        },
        {
          id: "3.5-6",
          says: "The status shows the resources that were granted, the mounts, and the user of the first process where the runtime knows it.",
          above: other("shows resources, mounts and user"),
        },
      ],
    },
    {
      number: "3.6",
      title: "Termination messages",
      rules: [
        {
          id: "3.6-1",
          says: "What a container wrote to `terminationMessagePath` is the message of its end.",
          decision: words("are what the file says"),
          stories: ["a container's last words are in its termination message"],
          contract: ["brings a termination message out through its file"],
          on: example("termination-message.yaml"),
          fields: ["Container.terminationMessagePath"],
        },
        {
          id: "3.6-2",
          says: "Only the last 4096 bytes of the file count, and no character is cut in two.",
          above: words("are cut", "are not cut inside a character"),
        },
        {
          id: "3.6-3",
          says: "With `FallbackToLogsOnError` the end of the log is the message of a container that failed and wrote no file; not of one that succeeded or could not run.",
          above: words(
            "come from the log when the file is missing after a failure: FallbackToLogsOnError",
            "come from the log when the file is empty after a failure: FallbackToLogsOnError",
            "come from the log when the file says something: FallbackToLogsOnError",
            "come from the log when it succeeded: FallbackToLogsOnError",
            "come from the log when it could not run: FallbackToLogsOnError",
            "come from the log when only the file is wanted: File",
          ),
          stories: [
            "with FallbackToLogsOnError the end of the log is the message of a container that failed silently, not of one that succeeded",
          ],
          fields: ["Container.terminationMessagePolicy"],
        },
        {
          id: "3.6-4",
          says: "The log gives at most 80 lines and 2048 bytes.",
          above: words("are shared among the containers, and the log gives 80 lines and 2048 bytes"),
        },
        {
          id: "3.6-5",
          says: "What the runtime has to say comes first.",
          above: words("begin with the runtime's"),
        },
        {
          id: "3.6-6",
          says: "The messages of one Pod share 12 KiB among its containers.",
          above: words("are shared among the containers, and the log gives 80 lines and 2048 bytes"),
          stories: [
            "a termination message is cut to its last 4096 bytes, and to a share of 12 KiB in a Pod of many containers",
          ],
        },
      ],
    },
    {
      number: "3.7",
      title: "Whose log kubectl logs shows",
      rules: [
        {
          id: "3.7-1",
          says: "The log of the instance that runs; without one, of the one that ended last.",
          decision: logs("the running one", "the one that has ended", "the last one while a container waits"),
          stories: [
            "logs are those of the running container, and of the one before it on request",
            "a container in its crash back-off shows the log of its last run",
          ],
          on: wholeLife,
        },
        {
          id: "3.7-2",
          says: "`--previous` shows the log of the instance before, and is an error when there was none.",
          decision: logs("the one before", "nobody's: no instance before"),
          stories: ["logs are those of the running container, and of the one before it on request"],
          on: wholeLife,
        },
        {
          id: "3.7-3",
          says: "A container that waits for its first start has no log, and the error says what it waits for; for a failing pull it says so in words of its own.",
          above: logs(
            "nobody's: nothing yet",
            "nobody's: no image",
            "nobody's: still no image",
            "nobody's: no such container",
          ),
          stories: ["a container that waits to start has no logs, and says why"],
        },
        {
          id: "3.7-4",
          says: "With several regular containers one must be named, and the error lists them, init containers first; beside init containers the only regular one needs no name.",
          above: apiLogs(
            "refuses to guess: several containers",
            "refuses to guess: an unknown container",
            "takes the container that container=i names",
            "needs no name for the only container beside init containers",
          ),
        },
        {
          id: "3.7-5",
          says: "A Pod without a node answers with nothing.",
          above: apiLogs("answers with nothing for a Pod that no node has"),
        },
        {
          id: "3.7-6",
          says: "Options that make no sense are refused: a negative tail, no bytes, no seconds, two starting points.",
          above: apiLogs(
            "refuses ?tailLines=-1",
            "refuses ?limitBytes=0",
            "refuses ?sinceSeconds=0",
            "refuses ?sinceSeconds=5&sinceTime=2025-01-01T00:00:00Z",
          ),
        },
        {
          id: "3.7-7",
          says: "The node's refusal becomes a Status: its 400 a BadRequest with the text, its 500 an InternalError.",
          above: apiLogs("turns the node's refusal 400 into a Status", "turns the node's refusal 500 into a Status"),
        },
        {
          id: "3.7-8",
          says: "`--tail`, `--since` and `--follow` read from the end, from a time, and until the container has ended.",
          contract: [
            "reads the end of a log",
            "leaves out what is older than asked",
            "follows a log until the container has ended",
            "follows a log from its end and stops when told",
          ],
        },
        {
          id: "3.7-9",
          says: "Lines keep their order and their times, and what is not a whole line, not ASCII or empty is kept as it was written.",
          contract: [
            "keeps the lines of a log in order, with times",
            "keeps a last line without an end, empty lines and text in other scripts",
          ],
        },
        {
          id: "3.7-10",
          says: "Standard output and standard error are told apart in the log.",
          contract: ["tells the two streams of a log apart"],
        },
      ],
    },
  ],
};
