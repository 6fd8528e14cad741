import { comingBack, example, exampleOn, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const plan = testsOf("src/apiserver/registry/deletion-plan.test.ts");
const deletion = testsOf("test/apiserver/deletion.test.ts");
const work = testsOf("src/kubelet/pod-work.test.ts", "a Pod's work");
const podGrace = testsOf("src/kubelet/pod-work.test.ts", "the grace period of a Pod");
const grace = testsOf("src/kubelet/ending-decisions.test.ts", "the grace of a container");
const order = testsOf("src/kubelet/ending-decisions.test.ts", "the order of ends");
const ending = testsOf("test/kubelet/ending.test.ts", "ending a Pod");
const back = testsOf("test/kubelet/coming-back.test.ts", "a kubelet that comes back");
const story = testsOf("test/scenarios/stories.test.ts", "termination");
const endpoint = testsOf("src/controllers/endpoint-slice/plan.test.ts", "the conditions of an endpoint");
const kills = testsOf("test/kills/kills.test.ts", "Pods survive kill -9");
const kubelet = testsOf("test/scenarios/stories.test.ts", "kubelet and runtime");

export const endingChapter: Chapter = {
  number: 8,
  title: "The end of a Pod",
  parts: [
    {
      number: "8.1",
      title: "Deletion in the API",
      rules: [
        {
          id: "8.1-1",
          says: "The grace of a deletion is what the request asks for, else the Pod's `terminationGracePeriodSeconds`; a negative one counts as one second.",
          above: plan(
            "gives a running Pod its own grace",
            "gives it the grace that was asked for",
            "takes a negative grace for one second",
          ),
          stories: ["a delete may ask for more grace than the manifest says, or for less"],
          fields: ["PodSpec.terminationGracePeriodSeconds"],
        },
        {
          id: "8.1-2",
          says: "A Pod without a node, and one whose phase is final, is removed without grace.",
          above: plan(
            "does not wait for a Pod that no node has",
            "does not wait for one that no node has, whatever was asked for",
            "does not wait for a Pod that succeeded",
            "does not wait for a Pod that failed",
          ),
          stories: [
            "a Pod that is nowhere scheduled is removed at once",
            "a Pod that has ended is removed at once, without grace",
          ],
        },
        {
          id: "8.1-3",
          says: "Until then the object stays, with `deletionTimestamp` (now and the grace) and `deletionGracePeriodSeconds`.",
          above: plan("gives a running Pod its own grace", "counts the deletion in the generation where there is one"),
        },
        {
          id: "8.1-4",
          says: "A later deletion can only shorten the grace, counted from the first and never into the past; a longer one and one without words change nothing.",
          above: [
            ...plan(
              "changes nothing when asked again",
              "does not lengthen the wait",
              "does not move a wait of the same length",
              "shortens the wait, counted from the first request",
              "does not shorten the wait into the past",
            ),
            ...deletion("shortens the wait when asked again with less, never lengthens it"),
          ],
        },
        {
          id: "8.1-5",
          says: "A Pod whose grace is over, or is ended by force, is removed by the next deletion.",
          above: plan("ends the wait by force", "removes a Pod whose grace is over"),
        },
        {
          id: "8.1-6",
          says: "A finalizer keeps the object until it is taken away, and then until the node has had its last word.",
          above: [
            ...plan(
              "keeps a Pod that a finalizer holds, though its grace is over",
              "keeps a Pod that a finalizer holds when it is deleted by force",
            ),
            ...deletion(
              "lets a finalizer hold a Pod until it is taken away, after the kubelet's last word",
              "keeps a Pod whose last finalizer goes while its grace still runs",
            ),
          ],
          stories: ["a finalizer keeps the ended Pod until somebody takes it away"],
        },
        {
          id: "8.1-7",
          says: "No finalizer is added once the deletion has begun.",
          above: deletion("lets no finalizer be added once the deletion has begun"),
        },
        {
          id: "8.1-8",
          says: "A deletion with a precondition (uid, resourceVersion) that does not hold is refused with 409.",
          above: deletion("refuses when the precondition *", "removes the Pod a precondition names"),
        },
        {
          id: "8.1-9",
          says: "Watchers see the removal of a Pod that has a node as two writes: no grace left, then deleted.",
          above: plan("lets it go in two writes without grace"),
        },
        {
          id: "8.1-10",
          says: "Deletion by force removes the object at once; the node still gives the containers the Pod's own grace.",
          decision: podGrace("is the Pod's own when the API has let go with 0"),
          stories: ["a force delete removes the object at once; its containers still get their own grace"],
          on: comingBack,
        },
        {
          id: "8.1-11",
          says: "A new Pod may take the name of one that was deleted by force while that one's containers still end.",
          above: story(
            "a new Pod may take the name of one that was deleted by force while that one's containers still end",
          ),
        },
        {
          id: "8.1-12",
          says: "A Pod whose own grace is 0 is always deleted so.",
          above: plan("lets a Pod go at once whose own grace is 0"),
          stories: [
            "a Pod whose manifest grants no grace is removed at once; its container gets the least time there is",
          ],
        },
        {
          id: "8.1-13",
          says: "A dry run changes nothing.",
          above: deletion("changes nothing in a dry run", "changes nothing in a dry run of a whole collection"),
        },
        {
          id: "8.1-14",
          says: "A whole collection, or what a selector takes, is deleted Pod by Pod, each with its grace.",
          above: deletion("deletes a whole collection, or what a selector takes"),
        },
      ],
    },
    {
      number: "8.2",
      title: "What the node does",
      rules: [
        {
          id: "8.2-1",
          says: "From the moment it sees the deletion the kubelet starts nothing more in the Pod.",
          decision: work("becomes terminating with the deletion's grace", "goes on while nothing ends it"),
          stories: [
            "a Pod that is deleted while an init container runs ends that one and never starts its app",
            "a Pod that is deleted while its image is being pulled ends as Failed without having run",
          ],
        },
        {
          id: "8.2-2",
          says: "A Pod also ends when its object vanished, its phase is final, its deadline has passed or it was evicted; there is no way back.",
          above: work(
            "becomes terminating when the object vanished",
            "becomes terminating when the phase is terminal",
            "becomes terminating when the deadline has passed",
            "becomes terminating when it was evicted",
            "never comes back from terminated",
          ),
        },
        {
          id: "8.2-3",
          says: "All regular containers are told to end at the same time, each with an event `Killing`.",
          stories: ["all containers of a Pod are stopped at the same time"],
          contract: ["ends a container on TERM without waiting for the time limit"],
          on: example("graceful-shutdown.yaml"),
        },
        {
          id: "8.2-4",
          says: "A container that handles TERM ends in its own time and with its own exit code.",
          stories: ["a deleted Pod gets TERM, ends, and is removed when its end is known"],
          contract: [
            "ends a container on TERM without waiting for the time limit",
            "keeps the exit code of a container that handles TERM",
          ],
          on: wholeLife,
        },
        {
          id: "8.2-5",
          says: "A container that ignores TERM is killed when its grace is over, and not before.",
          decision: ending("kills a Pod that ignores TERM when its grace is over"),
          stories: ["a container that ignores TERM is killed when the grace is over"],
          contract: ["kills a container that ignores TERM when its time is up and not before"],
        },
        {
          id: "8.2-6",
          says: "Its child processes end with it.",
          contract: [
            "kills the children of a container with it",
            "leaves no children behind when a container ends by itself and is removed",
          ],
        },
        {
          id: "8.2-7",
          says: "When all have ended the last phase is told: Succeeded if all exited with 0, else Failed.",
          decision: story("the last phase of a deleted Pod with *"),
          stories: [
            "the last phase of a deleted Pod with a container that handles TERM and exits 0 is Succeeded",
            "the last phase of a deleted Pod with a container that dies of TERM is Failed",
            "the last phase of a deleted Pod with a container that fails on TERM is Failed",
          ],
        },
        {
          id: "8.2-8",
          says: "Then volumes are taken away, and only then the object is removed.",
          decision: ending("takes a Pod that handles TERM out of the API as soon as it has stopped"),
          stories: ["a deleted Pod gets TERM, ends, and is removed when its end is known"],
          on: wholeLife,
        },
        {
          id: "8.2-9",
          says: "A grace that is shortened meanwhile takes effect at once.",
          decision: [
            ...work(
              "starts the wait anew when a later request shortens it",
              "does not change when a later request asks for more",
            ),
            ...ending("shortens a grace that is running, and never lengthens it"),
          ],
          stories: ["a second delete shortens the grace; a longer one and one without a grace change nothing"],
          contract: ["lets a shorter second stop cut the first one short"],
        },
        {
          id: "8.2-10",
          says: "A kubelet that was restarted goes on ending the Pod.",
          decision: back("goes on ending a Pod that was being deleted"),
          stories: ["a Pod that was deleted while the kubelet was away is ended when it is back, with its full grace"],
          on: comingBack,
        },
        {
          id: "8.2-11",
          says: "A Pod that vanished while the kubelet was away is ended when it is back, and leaves nothing behind.",
          decision: back("ends Pods that were force-deleted while it was away, and leaves nothing of them"),
          stories: ["a Pod that vanished while the kubelet was away leaves nothing behind"],
          on: comingBack,
        },
        {
          id: "8.2-12",
          says: "A stop that fails is tried again until the Pod is gone.",
          above: kubelet("a failed stop of a container is tried again until the Pod is gone"),
        },
        {
          id: "8.2-13",
          says: "A Pod whose work is done takes the same way, and keeps its object, its last words and its log.",
          decision: ending("keeps a finished Pod and its log, and gives its volumes back"),
          stories: [
            "a Pod whose only container ends well is Succeeded under OnFailure, and its conditions say completed",
          ],
          on: comingBack,
        },
        {
          id: "8.2-14",
          says: "A Pod that is deleted while it pulls, waits for a volume, runs a hook or is in back-off goes at once, without waiting for any of these.",
          decision: [
            ...story(
              "a Pod that is deleted while its postStart hook runs does not wait for the hook",
              "a Pod that is deleted during its crash back-off keeps its last end and goes at once",
              "a Pod that is deleted while it waits for a volume ends at once",
            ),
            ...kubelet("an image pull that hangs is given up when the Pod is deleted"),
          ],
          stories: [
            "a Pod that is deleted while its postStart hook runs does not wait for the hook",
            "a Pod that is deleted during its crash back-off keeps its last end and goes at once",
            "a Pod that is deleted while it waits for a volume ends at once",
          ],
        },
        {
          id: "8.2-15",
          says: "A second delete with less grace does not wait for a preStop hook that is under way.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "hooks",
          )("a second delete with less grace does not wait for a preStop that is under way"),
        },
      ],
    },
    {
      number: "8.3",
      title: "How much grace a container gets",
      rules: [
        {
          id: "8.3-1",
          says: "The smallest of the deletion's and the kubelet's own wish, else the Pod's; at least a second; it never grows.",
          above: podGrace(
            "is the Pod's own by default",
            "is the deletion's",
            "may be longer than the Pod's own",
            "is the kubelet's own when that is shorter",
            "never grows",
            "is at least a second",
          ),
        },
        {
          id: "8.3-2",
          says: "For a single container the deletion's, else that of the probe that kills it, else the Pod's.",
          above: grace(
            "is the Pod's own by default",
            "is the deletion's",
            "is the probe's after a failed liveness probe, even a longer one",
            "is what the whole Pod is being stopped with",
          ),
        },
        {
          id: "8.3-3",
          says: "The runtime is given at least two seconds.",
          above: grace("loses the whole seconds that were used, and leaves 2 for the runtime"),
        },
      ],
    },
    {
      number: "8.4",
      title: "Sidecars end last",
      rules: [
        {
          id: "8.4-1",
          says: "Regular and init containers wait for nobody.",
          above: order("a regular container waits for nobody", "an init container waits for nobody"),
        },
        {
          id: "8.4-2",
          says: "A sidecar gets TERM when all regular containers and all later sidecars have ended: the reverse of their order.",
          decision: [
            ...order(
              "the last sidecar waits for the regular ones",
              "an earlier sidecar also waits for the later ones",
              "who has ended is not waited for",
            ),
            ...ending("stops sidecars after the others, the last one first"),
          ],
          stories: ["sidecars end after the app and in the reverse of their order"],
          on: example("sidecar.yaml"),
        },
        {
          id: "8.4-3",
          says: "The preStop hook of a sidecar runs at once, beside everything else.",
          decision: testsOf(
            "test/scenarios/stories.test.ts",
            "init containers",
          )("a sidecar's preStop runs at once, its TERM waits for the app"),
          stories: ["a sidecar's preStop runs at once, its TERM waits for the app"],
        },
        {
          id: "8.4-4",
          says: "They share the grace; when it is used up the sidecars that are left get two seconds each, at the same time.",
          decision: testsOf(
            "test/scenarios/stories.test.ts",
            "init containers",
          )("an app that uses up all the grace leaves two seconds to each sidecar, at the same time"),
          stories: ["an app that uses up all the grace leaves two seconds to each sidecar, at the same time"],
        },
        {
          id: "8.4-5",
          says: "How a sidecar ends does not matter for the phase.",
          decision: testsOf(
            "test/scenarios/stories.test.ts",
            "init containers",
          )(
            "when the work of a Pod is done its sidecar is stopped and the Pod has Succeeded, whatever the sidecar's exit code",
          ),
          stories: [
            "when the work of a Pod is done its sidecar is stopped and the Pod has Succeeded, whatever the sidecar's exit code",
          ],
        },
      ],
    },
    {
      number: "8.5",
      title: "Services and a Pod that ends",
      rules: [
        {
          id: "8.5-1",
          says: "A Pod is an endpoint of its Services as long as it has an address and its phase is not final; the endpoint is ready and serving as the Pod is Ready.",
          above: endpoint(
            "a ready Pod",
            "a Pod that is not ready",
            "a Pod without an address is no endpoint",
            "a Pod that has succeeded is no endpoint",
            "a Pod that has failed is no endpoint",
          ),
        },
        {
          id: "8.5-2",
          says: "A Pod that is being deleted is terminating and no longer ready; it serves as long as its readiness probe says so.",
          above: endpoint("a Pod that ends and still answers", "a Pod that ends and does not answer any more"),
        },
        {
          id: "8.5-3",
          says: "With `publishNotReadyAddresses` every Pod counts as ready.",
          above: endpoint("not ready, published all the same", "ending, published all the same"),
        },
        {
          id: "8.5-4",
          says: "The older Endpoints drop a Pod that ends at once.",
          above: testsOf("src/controllers/endpoints/plan.test.ts", "subsets")(
            "a Pod that ends is not listed",
            "those that are not ready stand apart",
            "everything is published when that is asked for",
          ),
        },
      ],
    },
    {
      number: "8.6",
      title: "Active deadline",
      rules: [
        {
          id: "8.6-1",
          says: "The deadline counts from the Pod's start: pulls and init containers included, and as upstream from whole seconds.",
          above: story(
            "the active deadline counts while images are pulled and init containers fail",
            "a deadline may be set on a running Pod, and counts from its start",
          ),
        },
        {
          id: "8.6-2",
          says: "When it has passed, an event `DeadlineExceeded` is told, the containers are ended with their grace, and then the Pod is Failed.",
          decision: ending("fails a Pod that outlives its deadline, after its containers have stopped"),
          stories: [
            "a Pod that reaches its active deadline is told so, ended with its grace, and Failed with DeadlineExceeded",
          ],
          on: {
            process: exampleOn("process", "active-deadline.yaml"),
            containerd: exampleOn("containerd", "active-deadline.yaml"),
          },
        },
      ],
    },
    {
      number: "8.8",
      title: "What is left",
      rules: [
        {
          id: "8.8-1",
          says: "An emptyDir goes with its Pod.",
          decision: ending("keeps a finished Pod and its log, and gives its volumes back"),
          stories: ["emptyDir outlives a container's restart and not its Pod"],
          on: wholeLife,
        },
        {
          id: "8.8-2",
          says: "Of a container's dead instances the newest is kept, with its log.",
          decision: testsOf("test/kubelet/serving.test.ts")("logs > are those of the instance that was asked for"),
          stories: ["the restart count and the last state survive many restarts: only the newest end is kept"],
          contract: [
            "removes the log of one turn of a container and leaves the others",
            "keeps the log of a removed container until it is removed too",
          ],
        },
        {
          id: "8.8-3",
          says: "No container, sandbox, process, mount, network or file of a removed Pod is left.",
          stories: ["a Pod that vanished while the kubelet was away leaves nothing behind"],
          contract: [
            "removes the containers of a sandbox that is removed",
            "kills a running container that is removed",
            "stops and removes again what is stopped and removed",
          ],
          on: {
            process: [
              ...exampleOn("process", "leaves nothing behind"),
              ...testsOf(
                "src/runtimes/process/process-runtime.test.ts",
                "the end",
              )("leaves no process, file or mount point behind"),
              ...wholeLife.process,
            ],
            containerd: [...exampleOn("containerd", "leaves nothing behind"), ...wholeLife.containerd],
          },
        },
        {
          id: "8.8-4",
          says: "A Pod that has ended keeps its object until somebody deletes it, or the Pod collector does: beyond its threshold evicted ones and the oldest first.",
          above: testsOf("src/controllers/pod-gc/plan.test.ts")(
            "removes finished Pods beyond the limit: evicted ones, then the oldest, then by name",
          ),
        },
        {
          id: "8.8-5",
          says: "When the machine lost its power its Pods are started once more, from their beginning.",
          decision: back("starts its Pods again after the machine lost power"),
          stories: ["a machine that lost its power comes back with its Pods, each once more from its beginning"],
          on: {
            process: testsOf(
              "src/runtimes/process/process-runtime.test.ts",
              "the end",
            )("has come for all when the machine was started anew"),
          },
          cannot: { containerd: "no test takes the power from a machine with containerd" },
        },
        {
          id: "8.8-6",
          says: "A runtime that is away makes the node NotReady and ends nothing; when it is back everything goes on.",
          above: kubelet(
            "a runtime that is away for a while makes the node NotReady and ends nothing; when it is back all goes on",
          ),
          stories: [
            "a runtime that is away for a while makes the node NotReady and ends nothing; when it is back all goes on",
          ],
          on: {
            containerd: testsOf(
              "test/end-to-end/containerd-ends.test.ts",
              "when containerd dies",
            )("Pods go on, the node says that it is not Ready, and all is told truly when it is back"),
          },
        },
        {
          id: "8.8-7",
          says: "kill -9 of lifepod, or of containerd, at any moment loses no container, doubles none, restarts none without need, and leaves nothing behind.",
          stories: ["a kubelet that dies 400 ms into a Pod's start leaves it to the next one, and nothing runs twice"],
          on: {
            process: kills("of 'lifepod over process', again and again"),
            containerd: kills("of 'lifepod over containerd', again and again", "of 'containerd', again and again"),
          },
        },
        {
          id: "8.8-8",
          says: "A start that was cut short by the end of the kubelet is made again, under Never too, and counts as no restart.",
          above: kubelet(
            "a start that was given up because the kubelet died is made again, even in a Pod that restarts nothing; it counts as no restart",
            "a container that was made and never started is no restart",
            "nor is one that was made, told, and removed by a kubelet that died before it made another",
            "a start that failed before the kubelet was started again, and was told, is not taken back",
          ),
        },
        {
          id: "8.8-9",
          says: "A runtime that hangs makes the node NotReady, with the reason, and ends nothing; what waited for it goes on.",
          above: kubelet(
            "a runtime that hangs for two minutes makes the node NotReady after 30 s, and ends nothing; what waited for it goes on",
            "a node says at once that its runtime has gone, and within a second that it is back",
            "a node whose Pods nobody could look at for three minutes is not Ready, and says why",
          ),
        },
      ],
    },
  ],
};
