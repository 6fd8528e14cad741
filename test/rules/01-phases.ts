import { type Chapter, testsOf } from "./rule.ts";

const phase = testsOf("src/kubelet/phase.test.ts");
const ends = testsOf("src/kubelet/ending-decisions.test.ts", "the status that is written");
const admission = testsOf("src/kubelet/admission.test.ts", "a node takes a Pod");
const status = testsOf("src/apiserver/tables/pod-table.test.ts", "the status of a Pod (pod-lifecycle 1.5)");
const restarts = testsOf("src/apiserver/tables/pod-table.test.ts", "the restarts of a Pod (pod-lifecycle 1.5, rule 8)");
const row = testsOf("src/apiserver/tables/pod-table.test.ts", "the row of a Pod");
const statusUpdate = testsOf("src/api/core/v1/validate-pod-update.test.ts", "an update of a Pod's status");
const defaults = testsOf("src/api/core/v1/default-pod.test.ts");
const age = testsOf("src/base/duration-text.test.ts");
const selector = testsOf("src/api/meta/field-selector.test.ts", "a field selector");

export const phases: Chapter = {
  number: 1,
  title: "Phases, reasons and what kubectl shows",
  parts: [
    {
      number: "1.2",
      title: "The phase",
      rules: [
        {
          id: "1.2-1",
          says: "A Pod is Pending while one of its init containers runs, waits for its first start or has no status yet.",
          above: phase(
            "phase by init containers > is Pending while one runs",
            "phase by init containers > is Pending when one has no status",
          ),
        },
        {
          id: "1.2-2",
          says: "An init container that failed leaves the Pod Pending while it will be tried again (`restartPolicy` Always or OnFailure).",
          above: phase(
            "phase by init containers > is Pending after a failure that will be tried again",
            "phase by init containers > is Pending under OnFailure with a failure behind it",
          ),
        },
        {
          id: "1.2-3",
          says: "An init container that failed makes the Pod Failed under `restartPolicy: Never`, also when it only waits with that failure behind it.",
          above: phase(
            "phase by init containers > is Failed after a failure under Never",
            "phase by init containers > is Failed under Never also while waiting with a failure behind it",
          ),
        },
        {
          id: "1.2-4",
          says: "Init containers that have succeeded no longer count.",
          above: phase("phase by init containers > is no longer their business once they are done"),
        },
        {
          id: "1.2-5",
          says: "A Pod is Pending while a sidecar has not started, or waits for its first start; once its regular containers have been created a sidecar that starts up anew no longer counts so.",
          above: phase(
            "phase by sidecars > is Pending until the sidecar has started",
            "phase by sidecars > is Pending before the app's turn while a sidecar has not started",
            "phase by sidecars > is Running while a sidecar starts up again beside the app",
            "phase by sidecars > is Pending while a sidecar has never started",
          ),
        },
        {
          id: "1.2-6",
          says: "A sidecar that runs keeps a Pod Running whose regular containers have all exited.",
          above: phase(
            "phase by sidecars > is Running with a sidecar that has started",
            "phase by sidecars > is Running while a sidecar outlives the others",
          ),
        },
        {
          id: "1.2-7",
          says: "A sidecar that has ended, or waits for its restart, has no say in the phase.",
          above: phase(
            "phase by sidecars > does not count a sidecar that has ended",
            "phase by sidecars > does not count a sidecar that waits for its restart",
          ),
        },
        {
          id: "1.2-8",
          says: "A sidecar without any status leaves the Pod Pending.",
          above: phase("phase by sidecars > is Pending while a sidecar has no status"),
        },
        {
          id: "1.2-9",
          says: "A Pod is Pending while one of its regular containers has never been started.",
          above: phase("phase by regular containers > when one has never started"),
        },
        {
          id: "1.2-10",
          says: "A Pod is Running while at least one regular container runs and the others run or have exited.",
          above: phase("phase by regular containers > when one runs, one has exited"),
          stories: ["a Pod with one container done and one running stays Running, and is not Ready"],
        },
        {
          id: "1.2-11",
          says: "When all regular containers have exited with 0 the Pod has Succeeded under OnFailure and Never; under Always it stays Running, for they will be restarted.",
          above: phase("phase by regular containers > when all have exited with 0"),
          fields: ["PodSpec.restartPolicy"],
        },
        {
          id: "1.2-12",
          says: "When all regular containers have exited and one of them failed, the Pod is Failed under Never; under Always and OnFailure it stays Running.",
          above: phase("phase by regular containers > when all have exited, one with 1"),
        },
        {
          id: "1.2-13",
          says: "A regular container that waits for its restart counts as stopped and not as succeeded, even if it last exited with 0.",
          above: phase(
            "phase by regular containers > counts a container that waits for its restart as stopped, and not as succeeded",
          ),
        },
        {
          id: "1.2-14",
          says: "A regular container whose state is empty leaves the Pod Pending: nothing is known of it.",
          above: phase("phase by regular containers > when a state is empty"),
        },
        {
          id: "1.2-15",
          says: "A Pod whose containers have been stopped for good (deleted, evicted, past its deadline) has Succeeded if all exited with 0, and is Failed otherwise, whatever the restart policy.",
          above: phase(
            "phase by regular containers > of a Pod that is ended for good succeeds when all exited with 0, whatever the policy",
            "phase by regular containers > of a Pod that is ended for good fails when one did not, whatever the policy",
          ),
        },
      ],
    },
    {
      number: "1.3",
      title: "What guards the phase",
      rules: [
        {
          id: "1.3-1",
          says: "Succeeded and Failed are final: a Pod never leaves them.",
          above: testsOf("src/kubelet/pod-work.test.ts", "a Pod's work")(
            "becomes terminating when the phase is terminal",
            "never comes back from terminated",
          ),
          stories: ["a Pod whose work is done is not done again because its sandbox has gone"],
        },
        {
          id: "1.3-2",
          says: "A final phase is not told while a container may still run: until then the API keeps the phase, reason and message it has.",
          above: ends("holds a terminal phase back while containers may run"),
        },
        {
          id: "1.3-3",
          says: "With a final phase Ready and ContainersReady are False, with the reason `PodCompleted` or `PodFailed`.",
          above: ends("keeps others' conditions and takes readiness from a Pod that has ended"),
        },
        {
          id: "1.3-4",
          says: "A Pod that is over before any of its containers started is Failed.",
          above: ends("for good fails what never ended"),
          stories: ["a Pod that is deleted while its image is being pulled ends as Failed without having run"],
        },
        {
          id: "1.3-5",
          says: "When a Pod is over, a started container of which nothing is known is shown as terminated with `ContainerStatusUnknown` and exit code 137; what has ended keeps its end, and init containers that had no turn stay as they are.",
          above: ends(
            "for good fails what never ended",
            "for good keeps what ended",
            "for good leaves alone what was never reached",
          ),
        },
        {
          id: "1.3-6",
          says: "A write to `/status` may not bring back a container that has ended under Never, or with 0 under OnFailure.",
          above: statusUpdate(
            "keeps a finished container ended",
            "keeps every container ended that never restarts",
            "keeps an init container ended",
          ),
        },
        {
          id: "1.3-7",
          says: "A write to `/status` may bring back a container that is restarted: a failed one under OnFailure, any under Always, a sidecar always.",
          above: statusUpdate(
            "lets a container run again where it always restarts",
            "lets a failed container run again",
            "lets a sidecar run again",
          ),
        },
        {
          id: "1.3-8",
          says: "A write to `/status` never brings back an ephemeral container.",
          above: statusUpdate("keeps an ephemeral container ended"),
        },
        {
          id: "1.3-9",
          says: "The kubelet itself drops a status that would bring such a container back.",
          above: ends(
            "does not bring an ended container back under Never",
            "does not bring an ended container back after a failure under OnFailure",
            "does not bring an ended container back under Always",
          ),
        },
        {
          id: "1.3-10",
          says: "A new Pod is Pending and has its QoS class, whatever status its author sent along.",
          above: [
            ...defaults("a Pod's defaults > complete the smallest Pod"),
            ...testsOf("src/api/core/v1/qos.test.ts", "the QoS class")("*"),
          ],
        },
      ],
    },
    {
      number: "1.4",
      title: "Reasons of a Pod",
      rules: [
        {
          id: "1.4-1",
          says: "A node refuses a Pod that needs more of a resource than is free: the Pod is Failed with `OutOfcpu`, `OutOfmemory` or `OutOf<resource>`, and the message names what was requested, used and there.",
          above: admission("unless the CPU is too little", "unless the memory is too little"),
          stories: ["a node refuses a Pod that was given to it and needs more CPU than it has: OutOfcpu"],
        },
        {
          id: "1.4-2",
          says: "A node refuses a Pod beyond the number of Pods it takes: `OutOfpods`.",
          above: admission("unless there are too many"),
        },
        {
          id: "1.4-3",
          says: "A node refuses a Pod whose node selector or required node affinity it does not match: `NodeAffinity`.",
          above: admission("with the right labels", "unless its selector names others"),
          stories: ["a node refuses a Pod that was given to it and needs a label that it does not have: NodeAffinity"],
        },
        {
          id: "1.4-4",
          says: "A node refuses a Pod that is meant for another node (`NodeName`), or whose host port is taken (`NodePorts`).",
          above: admission(
            "unless it is for another node",
            "unless a host port is taken",
            "with a host port on another address",
          ),
          fields: ["ContainerPort.hostPort", "ContainerPort.hostIP"],
        },
        {
          id: "1.4-5",
          says: "A node refuses a Pod that does not tolerate one of its NoExecute taints (`TaintToleration`); NoSchedule taints are the scheduler's business alone.",
          above: admission(
            "unless a NoExecute taint is not tolerated",
            "with the toleration",
            "in spite of a NoSchedule taint",
          ),
        },
        {
          id: "1.4-6",
          says: "A node refuses a Pod for another operating system (`PodOSNotSupported`), or with a sysctl that it does not allow (`SysctlForbidden`).",
          above: admission("unless it is for another system", "unless its sysctl is not allowed"),
          fields: ["PodSpec.os", "Sysctl", "PodSecurityContext.sysctls"],
        },
        {
          id: "1.4-7",
          says: "A refusal is a Warning event with the reason and the message, and leaves nothing of the Pod on the node.",
          above: testsOf(
            "test/kubelet/starting.test.ts",
            "starting a Pod",
          )("refuses a Pod that does not fit, and leaves nothing behind"),
        },
        {
          id: "1.4-8",
          says: "A Pod that has outlived its `activeDeadlineSeconds` is Failed with `DeadlineExceeded`.",
          stories: [
            "a Pod that reaches its active deadline is told so, ended with its grace, and Failed with DeadlineExceeded",
          ],
          on: {
            process: testsOf("test/end-to-end/examples.test.ts", "the example, on process,")("active-deadline.yaml"),
            containerd: testsOf(
              "test/end-to-end/examples.test.ts",
              "the example, on containerd,",
            )("active-deadline.yaml"),
          },
          fields: ["PodSpec.activeDeadlineSeconds"],
        },
      ],
    },
    {
      number: "1.5",
      title: "The columns of kubectl get pods",
      rules: [
        { id: "1.5-1", says: "STATUS is the phase, or the Pod's reason if it has one.", above: status("rule 1: *") },
        {
          id: "1.5-2",
          says: "A Pod that its scheduling gates hold back is `SchedulingGated`.",
          above: status("rule 2: waiting for its scheduling gates", "rule 2: the gates outshine the reason"),
        },
        {
          id: "1.5-3",
          says: "READY counts regular containers and sidecars, not other init containers.",
          above: status("rule 3: *"),
        },
        {
          id: "1.5-4",
          says: "While a Pod initializes, STATUS tells of its first init container that is not done: `Init:<done>/<all>`, or `Init:<reason>` when that one waits for a reason or failed.",
          above: status("rule 4: *"),
        },
        {
          id: "1.5-5",
          says: "`Init:Signal:<n>` and `Init:ExitCode:<n>` stand where a failed init container gives no reason.",
          above: status("rule 4: an init container that a signal ended", "rule 4: an init container with an exit code"),
        },
        {
          id: "1.5-6",
          says: "When a Pod is initialized, STATUS is the first reason that one of its containers has: why it waits, or why it ended.",
          above: status(
            "rule 5: a container that waits for a reason",
            "rule 5: a container that ended for a reason",
            "rule 5: of several with something to tell the first is heard",
          ),
        },
        {
          id: "1.5-7",
          says: "`Signal:<n>` and `ExitCode:<n>` stand where an ended container gives no reason.",
          above: status("rule 5: a container that a signal ended", "rule 5: a container that ended with a code"),
        },
        {
          id: "1.5-8",
          says: "A container counts in READY only if it is ready and runs.",
          above: status(
            "rule 5: a container that runs and is not ready",
            "rule 5: a container that is called ready and does not run",
          ),
        },
        {
          id: "1.5-9",
          says: "`Completed` beside a container that still runs is shown as `Running` if the Pod is Ready, and as `NotReady` if not.",
          above: status("rule 6: *"),
        },
        {
          id: "1.5-10",
          says: "A Pod that is being deleted is `Terminating`, unless its phase is final; on a lost node it is `Unknown`.",
          above: status("rule 7: *"),
        },
        {
          id: "1.5-11",
          says: "RESTARTS counts init containers while they have their turn, then regular containers and sidecars, and says when the newest restart was.",
          above: restarts("*"),
        },
        {
          id: "1.5-12",
          says: "The wide table adds IP, NODE, NOMINATED NODE and READINESS GATES, `<none>` where there is nothing.",
          above: row("has the wide columns, too", "says <none> and <unknown> where nothing is known"),
        },
        {
          id: "1.5-13",
          says: "AGE is told in the two largest units that matter: seconds up to two minutes, then minutes, hours, days and years.",
          above: age(
            "just below two minutes: 119.999 s reads 119s",
            "two minutes and a second: 121 s reads 2m1s",
            "ten minutes and some: 659 s reads 10m",
            "just below eight hours: 28799 s reads 7h59m",
            "two days and an hour: 176400 s reads 2d1h",
            "just below eight years: 252287999 s reads 7y364d",
          ),
        },
        {
          id: "1.5-14",
          says: "Pods are selected by the fields name, namespace, node, restart policy, scheduler, service account, host network, phase, Pod IP and nominated node; any other field is refused.",
          above: selector("*"),
        },
      ],
    },
  ],
};
