import { cri, example, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const sandbox = testsOf("src/kubelet/pod-actions.test.ts", "the sandbox");
const init = testsOf("src/kubelet/pod-actions.test.ts", "init containers");
const one = testsOf("src/kubelet/pod-actions.test.ts", "one regular container");
const several = testsOf("src/kubelet/pod-actions.test.ts", "several regular containers");
const starting = testsOf("test/kubelet/starting.test.ts", "starting a Pod");
const serving = testsOf("test/kubelet/serving.test.ts", "a kubelet");
const images = testsOf("src/kubelet/container-config.test.ts", "images");
const names = testsOf("src/kubelet/container-config.test.ts", "names");
const dns = testsOf("src/kubelet/container-config.test.ts", "DNS");
const mounts = testsOf("src/kubelet/container-config.test.ts", "mounts");
const user = testsOf("src/kubelet/container-config.test.ts", "who a container runs as");
const told = testsOf("src/kubelet/container-config.test.ts", "what the runtime is told");
const kernel = testsOf("src/kubelet/container-config.test.ts", "resources for the kernel");
const expansion = testsOf("src/kubelet/environment.test.ts", "$(NAME)");
const env = testsOf("src/kubelet/environment.test.ts", "a container's environment");
const fields = testsOf("src/kubelet/environment.test.ts", "fields and resources");
const services = testsOf("src/kubelet/environment.test.ts", "Service variables");
const volume = testsOf("src/kubelet/admission.test.ts", "the contents of a volume");
const node = testsOf("src/kubelet/admission.test.ts", "what a node says of itself");
const defaults = testsOf("src/api/core/v1/default-pod.test.ts", "a Pod's defaults");
const story = testsOf("test/scenarios/stories.test.ts", "kubelet and runtime");
const files = testsOf("src/host/node-filesystem.test.ts");
const processes = testsOf("src/runtimes/process/requirements.test.ts");
const surroundings = testsOf("src/runtimes/process/process-runtime.test.ts", "a process's surroundings");

const sharedMachine = "processes share the machine's network";

export const startingChapter: Chapter = {
  number: 4,
  title: "Starting",
  parts: [
    {
      number: "4.2",
      title: "Step by step",
      rules: [
        {
          id: "4.2-1",
          says: "A Pod that is given to a node is admitted by the node first; the first refusal is the one that is told, and such a Pod is Failed.",
          above: starting("refuses a Pod that does not fit, and leaves nothing behind"),
        },
        {
          id: "4.2-2",
          says: "A node is Ready only when its runtime answers and its network is there.",
          above: node(
            "is ready when its runtime is",
            "is not ready when the network is missing",
            "is not ready when the runtime does not answer",
          ),
        },
        {
          id: "4.2-3",
          says: "Volumes are filled before anything of the Pod runs; one that cannot be is a Warning `FailedMount`, and the Pod goes on when it can.",
          above: starting("tells that a volume cannot be mounted and goes on when it can"),
          stories: ["a volume of a missing ConfigMap is FailedMount, and the Pod goes on when it appears"],
        },
        {
          id: "4.2-4",
          says: "The sandbox comes next, and with it the Pod's address.",
          decision: sandbox("is made first"),
          contract: ["runs a sandbox and tells what it is", "gives every sandbox an address of its own"],
        },
        {
          id: "4.2-5",
          says: "A sandbox that cannot be made is a Warning `FailedCreatePodSandBox` and is tried again after 10 to 15 seconds.",
          above: starting("tries a sandbox again after 10 to 15 s"),
          stories: ["a sandbox that cannot be made is told and tried again until it can"],
        },
        {
          id: "4.2-6",
          says: "Any other call to the runtime that fails is tried again after 10 to 15 seconds.",
          above: story("a Pod starts although *"),
        },
        {
          id: "4.2-7",
          says: "Regular containers start one after another in the order of the manifest, each pulled, created, started and through its postStart hook before the next one's turn.",
          decision: [
            ...several("starts them in the order of the spec"),
            ...starting("waits with the next container until postStart is through"),
          ],
          stories: [
            "containers start one after another in the order of the manifest; the second image waits for the first container",
          ],
        },
        {
          id: "4.2-8",
          says: "A container that cannot start keeps none of the following from starting.",
          above: testsOf(
            "src/kubelet/pod-actions.test.ts",
            "restart back-off",
          )("starts the other containers meanwhile"),
        },
        {
          id: "4.2-9",
          says: "A healthy Pod tells `Scheduled`, and for each container `Pulling`, `Pulled`, `Created` and `Started`, each once and in this order.",
          decision: starting("shows each step once, and the events of a healthy start"),
          stories: ["a healthy Pod is scheduled, pulled, created, started and Ready, and says so in that order"],
          on: wholeLife,
        },
        {
          id: "4.2-10",
          says: "While its first image is pulled a Pod is Pending, Initialized and not Ready.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "starting",
          )(
            "while its image is pulled a Pod is Pending, initialized and not Ready, and its container is being created",
          ),
        },
      ],
    },
    {
      number: "4.3",
      title: "What is done next",
      rules: [
        {
          id: "4.3-1",
          says: "A Pod gets a new sandbox when it has none, when the newest is not ready, when two are ready, when it has no address or the wrong network.",
          above: sandbox(
            "is replaced when it is no longer ready, and initialization starts over",
            "is replaced when two are ready",
            "is replaced when it has no address",
            "is replaced when the network is the wrong one",
            "needs no address on the node's network",
          ),
        },
        {
          id: "4.3-2",
          says: "With a new sandbox everything begins anew, from the first init container.",
          decision: sandbox("is replaced when it is no longer ready, and initialization starts over"),
          stories: ["when its sandbox dies a Pod gets a new one, initializes again and starts all containers"],
          contract: [
            "kills all containers of a sandbox that is stopped and takes no new ones in it",
            "removes the containers of a sandbox that is removed",
          ],
        },
        {
          id: "4.3-3",
          says: "Under Never a Pod whose containers have been made gets no new sandbox; under OnFailure none if everything has succeeded.",
          above: sandbox(
            "stays away when the policy is Never and containers have been made",
            "is made again when the policy is Never but no container was ever made",
            "stays away when the policy is OnFailure and everything has succeeded",
            "is made again for what has not succeeded yet",
          ),
        },
        {
          id: "4.3-4",
          says: "Init containers run one at a time: the last one that has a status says how far initialization is.",
          above: init(
            "begin with the first",
            "are waited for while one runs",
            "are followed by the next one",
            "count from the last one that is known, though earlier records are gone",
            "are followed by the regular containers",
          ),
          fields: ["PodSpec.initContainers"],
        },
        {
          id: "4.3-5",
          says: "An init container that failed, was killed for lack of memory or was lost is run again; under Never it ends the Pod.",
          above: init(
            "are restarted when they fail",
            "are restarted when memory ran out, whatever the exit code",
            "end the Pod when they fail and the policy is Never",
            "end the Pod when they are lost and the policy is Never",
            "are killed before a restart when they are lost",
          ),
        },
        {
          id: "4.3-6",
          says: "Once a regular container runs, finished init containers no longer matter, even if nothing is known of them any more.",
          above: init("do not matter once a regular container runs"),
        },
        {
          id: "4.3-7",
          says: "A container whose state is unknown is killed before it is started again.",
          above: one("kills what it cannot judge before it starts it again"),
        },
        {
          id: "4.3-8",
          says: "A container whose image was changed is killed and started with the new one, whatever the restart policy.",
          decision: [
            ...one("restarts a container whose image changed, whatever the policy"),
            ...serving("takes a new image into a running Pod, whatever the restart policy"),
          ],
          stories: ["a changed image ends the running container and starts the new one, whatever the restart policy"],
          on: {
            process: testsOf(
              "test/end-to-end/containers.test.ts",
              "on process",
            )("another image restarts the one container that it is for"),
            containerd: testsOf(
              "test/end-to-end/containers.test.ts",
              "on containerd",
            )("another image restarts the one container that it is for"),
          },
          fields: ["Container.image"],
        },
        {
          id: "4.3-9",
          says: "When no container is left to keep and none to start, the Pod is ended: its sidecars are stopped, then its sandbox.",
          above: several(
            "ends the Pod when all are done, though sidecars still run",
            "keeps the Pod while one runs and another is done",
          ),
        },
      ],
    },
    {
      number: "4.4",
      title: "Starting one container",
      rules: [
        {
          id: "4.4-1",
          says: "A container that must not be root and would be, or whose user has only a name, is not started: `CreateContainerConfigError`.",
          above: user(
            "runAsNonRoot with user 0",
            "runAsNonRoot with root's image",
            "runAsNonRoot with a name",
            "runAsNonRoot with a user that is not root",
            "runAsNonRoot with an image that is not root's",
          ),
          stories: ["a container that must not run as root and would is a config error"],
          fields: ["SecurityContext.runAsNonRoot", "PodSecurityContext.runAsNonRoot"],
        },
        {
          id: "4.4-2",
          says: "It runs as the user and groups of its own security context, else of the Pod's, else of its image.",
          decision: user("is the image's number", "is the image's name", "is the Pod's user", "is its own user"),
          contract: ["runs a container as the user and group that were asked for"],
          fields: [
            "SecurityContext.runAsUser",
            "SecurityContext.runAsGroup",
            "PodSecurityContext.runAsUser",
            "PodSecurityContext.runAsGroup",
            "PodSecurityContext.supplementalGroups",
          ],
        },
        {
          id: "4.4-3",
          says: "`command` takes the place of the image's entry point, `args` that of its arguments.",
          on: {
            simulated: told("names a container so that it is known again"),
            containerd: cri(
              "what a Pod asks for > runs the image's entry point with the image's or the container's arguments",
            ),
            process: processes("the command line > is command and args, or what the image stands for and args"),
          },
          fields: ["Container.command", "Container.args"],
        },
        {
          id: "4.4-4",
          says: "It starts in its `workingDir`.",
          contract: ["starts a container in its working directory"],
          fields: ["Container.workingDir"],
        },
        {
          id: "4.4-5",
          says: "Capabilities, privilege escalation and a read-only root file system are as its security context says.",
          on: {
            simulated: told("gives a container the rights that were asked for"),
            containerd: cri(
              "what a Pod asks for > sets capabilities, groups, new privileges and the root file system as asked",
            ),
            process: surroundings("may be narrowed: capabilities, new privileges, writing to the machine's files"),
          },
          fields: [
            "SecurityContext.capabilities",
            "Capabilities",
            "SecurityContext.allowPrivilegeEscalation",
            "SecurityContext.readOnlyRootFilesystem",
          ],
        },
        {
          id: "4.4-6",
          says: "What of the kernel's own is hidden from a container, and what a seccomp profile forbids it, follows its security context.",
          decision: user("hides nothing from a privileged container"),
          on: {
            simulated: user("hides nothing from a privileged container"),
            containerd: cri(
              "what a Pod asks for > hides the kernel's secrets unless told not to, and more so not from a privileged container",
              "what a Pod asks for > filters system calls with the runtime's profile when asked",
            ),
          },
          cannot: { process: "a process sees the machine as it is; a seccomp profile is refused by name" },
          fields: [
            "SecurityContext.privileged",
            "SecurityContext.procMount",
            "SecurityContext.seccompProfile",
            "PodSecurityContext.seccompProfile",
            "SeccompProfile",
          ],
        },
        {
          id: "4.4-7",
          says: "CPU requests become shares, limits a quota and a memory limit that the kernel enforces.",
          decision: kernel("*"),
          on: {
            simulated: kernel("*"),
            containerd: cri("what a Pod asks for > sets limits of memory and processor time"),
          },
          cannot: { process: "the CPU and memory of processes are not limited, which an event says" },
          fields: ["Container.resources", "ResourceRequirements.requests", "ResourceRequirements.limits"],
        },
        {
          id: "4.4-8",
          says: "A container of the same restart count is never started twice.",
          contract: ["does not start a container twice"],
        },
      ],
    },
    {
      number: "4.5",
      title: "Images",
      rules: [
        {
          id: "4.5-1",
          says: "Without a policy, an image with the tag `latest` or without tag and digest is pulled Always, any other IfNotPresent; decided once, at creation.",
          above: defaults(
            'pull "nginx" Always',
            'pull "nginx:latest" Always',
            'pull "nginx:1.27" IfNotPresent',
            'pull "nginx@sha256:0123" IfNotPresent',
          ),
          fields: ["Container.imagePullPolicy"],
        },
        {
          id: "4.5-2",
          says: "An image without tag and digest is asked for as `:latest`.",
          above: images("nginx is asked for as nginx:latest", "nginx:1.27 is asked for as nginx:1.27"),
        },
        {
          id: "4.5-3",
          says: "IfNotPresent and Never use an image that is there, Always pulls it again.",
          above: images(
            "with Always, present: true: pull",
            "with IfNotPresent, present: true: usePresent",
            "with IfNotPresent, present: false: pull",
            "with Never, present: true: usePresent",
          ),
          stories: [
            "an image that is there is not pulled under IfNotPresent, and is pulled again under Always",
            "a second Pod finds the image that the first one pulled",
          ],
        },
        {
          id: "4.5-4",
          says: "An image that was pulled is known to the node from then on.",
          contract: ["pulls an image once and knows it then"],
        },
        {
          id: "4.5-5",
          says: "A failed pull is told as `Failed`, held back as `BackOff`, and tried again until it succeeds.",
          above: starting("pulls, fails, backs off 10s, 20s and starts when the pull succeeds"),
          stories: ["a failed pull is ErrImagePull, then ImagePullBackOff, and is tried again until it succeeds"],
        },
        {
          id: "4.5-6",
          says: "Images are pulled one at a time, and `Pulled` says how long the pull took, waiting included.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "images",
          )("images are pulled one at a time: the second Pod's pull waits, and says how long"),
        },
        {
          id: "4.5-7",
          says: "Pull secrets give the credentials that fit the image best.",
          above: images("credentials: *"),
          fields: ["PodSpec.imagePullSecrets", "LocalObjectReference"],
        },
        {
          id: "4.5-8",
          says: "Missing pull secrets are a Warning `FailedToRetrieveImagePullSecret`, and the pull is tried without them.",
          above: serving("says which pull secrets are missing, and pulls all the same"),
          stories: ["missing pull secrets are told, and the pull is tried without them"],
        },
        {
          id: "4.5-9",
          says: "An image name that was corrected is pulled at once, whatever the back-off of the wrong one.",
          above: testsOf(
            "test/scenarios/stories.test.ts",
            "images",
          )("a corrected image takes the place of one that cannot be pulled, without waiting for its back-off"),
        },
      ],
    },
    {
      number: "4.6",
      title: "Environment",
      rules: [
        {
          id: "4.6-1",
          says: "A container has the variables that its manifest gives it.",
          decision: env("takes literal values"),
          contract: ["gives a container its environment", "runs a command with the environment of the container"],
          fields: ["Container.env", "EnvVar"],
        },
        {
          id: "4.6-2",
          says: "Of one name the last wins: `env` over `envFrom`, later entries over earlier ones, and a Service's variable only where nothing else is set.",
          above: env(
            "lets the last of the same name win",
            "lets env win over envFrom and later sources over earlier ones",
            "sets Service variables only where nothing else does",
          ),
          fields: ["Container.envFrom", "EnvFromSource"],
        },
        {
          id: "4.6-3",
          says: "`$(NAME)` in values, command and args stands for a variable that came before; `$$` escapes; what is unknown stays as written.",
          above: [...expansion("*"), ...env("expands what came before")],
        },
        {
          id: "4.6-4",
          says: "In `subPathExpr` a variable must have a value.",
          above: [
            ...expansion("must have a value in a sub path"),
            ...mounts("an expanded sub path", "refuse a variable without a value"),
          ],
          fields: ["VolumeMount.subPathExpr"],
        },
        {
          id: "4.6-5",
          says: "Variables may show fields of the Pod: names, labels, annotations, its node, account and addresses.",
          above: fields("reads metadata.*", "reads spec.nodeName", "reads status.hostIP", "reads status.podIP"),
          fields: ["EnvVarSource.fieldRef", "ObjectFieldSelector"],
        },
        {
          id: "4.6-6",
          says: "Variables may show requests and limits, divided and rounded up; an unset limit reads as what the node can give.",
          above: fields(
            "reads a limit in whole cores, rounded up",
            "reads a limit in thousandths",
            "reads a request in mebibytes",
            "reads an unset limit as what the node can give",
          ),
          fields: ["EnvVarSource.resourceFieldRef", "ResourceFieldSelector"],
        },
        {
          id: "4.6-7",
          says: "Variables may come from keys of ConfigMaps and Secrets; what is missing is an error unless it is optional.",
          above: env(
            "reads keys of Secrets",
            "skips optional keys that are missing",
            "skips optional sources that are missing",
            "cannot be made when a ConfigMap is missing",
            "cannot be made when a key of a Secret is missing",
          ),
          stories: ["a missing key of a Secret is a config error; an optional one is left out"],
          fields: [
            "EnvVarSource.configMapKeyRef",
            "EnvVarSource.secretKeyRef",
            "ConfigMapKeySelector",
            "SecretKeySelector",
            "ConfigMapEnvSource",
            "SecretEnvSource",
          ],
        },
        {
          id: "4.6-8",
          says: "Services of the Pod's namespace are described in variables, each port by name and number, and always the one of the API server; `enableServiceLinks: false` leaves only that.",
          above: services("*"),
          fields: ["PodSpec.enableServiceLinks"],
        },
        {
          id: "4.6-9",
          says: "Commands of probes see only variables with literal values.",
          above: env("is expanded in commands; probes see only what is literal"),
        },
        {
          id: "4.6-10",
          says: "A changed ConfigMap reaches the volumes of a running container within two minutes, and its variables never.",
          above: starting("mounts ConfigMaps, Secrets and its own fields, and brings them up to date"),
          stories: [
            "a changed ConfigMap reaches the volume of a running container within two minutes, and its variables never",
          ],
        },
      ],
    },
    {
      number: "4.7",
      title: "Names, addresses and DNS",
      rules: [
        {
          id: "4.7-1",
          says: "The host name is `hostname`, or the Pod's name, cut to 63 characters; with a `subdomain` it has a domain.",
          above: names(
            "the Pod's name",
            "the given hostname",
            "63 characters at most, without a dash at the end",
            "a domain with a subdomain",
          ),
          fields: ["PodSpec.hostname", "PodSpec.subdomain"],
        },
        {
          id: "4.7-2",
          says: "`setHostnameAsFQDN` gives the kernel the full name, which must not be longer than 64 characters.",
          above: names("the full name for the kernel", "that are too long for the kernel are refused"),
          fields: ["PodSpec.setHostnameAsFQDN"],
        },
        {
          id: "4.7-3",
          says: "A Pod on the node's network has the node's host name.",
          above: names("the node's on its network"),
        },
        {
          id: "4.7-4",
          says: "The host name that a container sees is the Pod's.",
          on: {
            simulated: testsOf(
              "src/kubelet/container-config.test.ts",
              "what the runtime is told",
            )("gives the sandbox its names, ports and DNS"),
            containerd: cri(
              "what a Pod asks for > gives the sandbox its host name, its name servers and an address of the node's subnet",
            ),
          },
          cannot: { process: "processes have the machine's host name" },
        },
        {
          id: "4.7-5",
          says: "`/etc/hosts` names the Pod's addresses and its `hostAliases`.",
          above: names("are in the hosts file with the Pod's addresses and aliases"),
          fields: ["PodSpec.hostAliases", "HostAlias"],
        },
        {
          id: "4.7-6",
          says: "`dnsPolicy` chooses the name servers: the cluster's, the node's or only those of `dnsConfig`; on the node's network ClusterFirst means the node's.",
          above: dns(
            "ClusterFirst",
            "Default",
            "ClusterFirst on the node's network",
            "ClusterFirstWithHostNet",
            "None",
          ),
          fields: ["PodSpec.dnsPolicy"],
        },
        {
          id: "4.7-7",
          says: "`dnsConfig` adds to what the policy gives; more than three servers are cut, and an event says which are left.",
          above: dns("own additions", "keeps three servers and says which"),
          fields: ["PodSpec.dnsConfig", "PodDNSConfig", "PodDNSConfigOption"],
        },
        {
          id: "4.7-8",
          says: "Without a cluster DNS the node's is taken, and an event says so.",
          above: dns("falls back to the node's without a cluster DNS, and says so"),
        },
        {
          id: "4.7-9",
          says: "The containers of a Pod meet on localhost, Pods meet at their addresses.",
          on: {
            simulated: testsOf("src/network/simulated/simulated-network.test.ts")("*"),
            containerd: cri(
              "what a Pod asks for > lets containers of one Pod meet on localhost, and Pods at their addresses",
            ),
          },
          cannot: { process: sharedMachine },
        },
        {
          id: "4.7-10",
          says: "A host port leads to the Pod.",
          on: {
            simulated: testsOf(
              "src/kubelet/container-config.test.ts",
              "what the runtime is told",
            )("gives the sandbox its names, ports and DNS"),
            containerd: cri("what a Pod asks for > forwards a port of the node to the Pod"),
          },
          cannot: {
            process:
              "processes listen on the machine's own ports; a host port that is not the container's own is refused by name",
          },
          fields: ["Container.ports", "ContainerPort.containerPort", "ContainerPort.protocol"],
        },
        {
          id: "4.7-11",
          says: "Containers have process namespaces of their own, one for the Pod with `shareProcessNamespace`, the node's with `hostPID`.",
          on: {
            simulated: user("sees *"),
            containerd: cri(
              "what a Pod asks for > shares the process namespace of the Pod, or that of one container, when asked",
            ),
          },
          cannot: { process: "processes share the machine's processes and IPC" },
          fields: ["PodSpec.shareProcessNamespace", "PodSpec.hostPID", "PodSpec.hostIPC"],
        },
      ],
    },
    {
      number: "4.8",
      title: "Volumes",
      rules: [
        {
          id: "4.8-1",
          says: "A mounted volume is what its containers share at `mountPath`; `readOnly` lets nothing be written.",
          decision: mounts(
            "a whole volume",
            "read-only where asked",
            "read-only where the kubelet makes the contents",
            "a relative path, from the root",
          ),
          contract: [
            "shows files and folders of the node inside the container",
            "lets nothing be written through a read-only mount",
          ],
          on: example("volumes.yaml"),
          fields: [
            "Container.volumeMounts",
            "VolumeMount.mountPath",
            "VolumeMount.name",
            "VolumeMount.readOnly",
            "PodSpec.volumes",
            "Volume.name",
          ],
        },
        {
          id: "4.8-2",
          says: "A `subPath` mounts a part of a volume and never leads out of it.",
          above: [
            ...mounts("a sub path", "refuse a way out of the volume", "refuse an absolute sub path"),
            ...starting("does not mount a subPath that leads out of its volume"),
            ...files("files and folders > lead outside or not: *"),
          ],
          fields: ["VolumeMount.subPath"],
        },
        {
          id: "4.8-3",
          says: "A ConfigMap or a Secret appears as files, all keys or the chosen ones, where and with the mode that is wanted.",
          above: volume(
            "are all keys of a ConfigMap",
            "are the chosen keys, where and how they are wanted",
            "are a Secret's values",
          ),
          fields: ["Volume.configMap", "Volume.secret", "ConfigMapVolumeSource", "SecretVolumeSource", "KeyToPath"],
        },
        {
          id: "4.8-4",
          says: "A downwardAPI volume holds the Pod's own fields, a projected one several sources in one folder.",
          above: volume("are the Pod's own fields"),
          fields: [
            "Volume.downwardAPI",
            "Volume.projected",
            "DownwardAPIVolumeSource",
            "DownwardAPIVolumeFile",
            "ProjectedVolumeSource",
            "VolumeProjection",
            "ConfigMapProjection",
            "SecretProjection",
            "DownwardAPIProjection",
          ],
        },
        {
          id: "4.8-5",
          says: "What a volume is made from must be there unless it is optional.",
          above: volume(
            "are nothing when what is missing is optional",
            "cannot be made when a ConfigMap is missing",
            "cannot be made when a Secret is missing",
            "cannot be made when a key is missing",
            "cannot be made when a Secret's key is missing",
          ),
          stories: ["an optional volume source that is missing gives an empty folder"],
        },
        {
          id: "4.8-6",
          says: "Files of such a volume are exchanged in one step: a reader sees the old ones or the new ones.",
          above: files("projected files > *"),
        },
        {
          id: "4.8-7",
          says: "An emptyDir is empty at the Pod's start, lives as long as the Pod and outlives its containers.",
          above: volume("come from an empty folder", "come from an empty folder if nothing is said"),
          stories: ["emptyDir outlives a container's restart and not its Pod"],
          on: wholeLife,
          fields: ["Volume.emptyDir", "EmptyDirVolumeSource"],
        },
        {
          id: "4.8-8",
          says: "A hostPath is a folder of the node.",
          decision: volume("come from a folder of the host"),
          contract: ["shows files and folders of the node inside the container"],
          on: wholeLife,
          fields: ["Volume.hostPath", "HostPathVolumeSource"],
        },
        {
          id: "4.8-9",
          says: "`fsGroup` makes a volume's files belong to a group that may read and write them.",
          above: files(
            "the group of a volume > reaches everything below, with the right to read and write, but no link's target",
          ),
          fields: ["PodSecurityContext.fsGroup"],
        },
        {
          id: "4.8-10",
          says: "With mount propagation a container sees what is mounted on the host later, or shows the host what it mounts.",
          on: {
            simulated: mounts("propagation as asked"),
            containerd: cri(
              "what a Pod asks for > shows what is mounted on the host later to a container that asked for it, and to no other",
            ),
          },
          cannot: { process: "what a process mounts does not reach the node; Bidirectional is refused by name" },
          fields: ["VolumeMount.mountPropagation"],
        },
      ],
    },
  ],
};
