import { example, networkCall, wholeLife } from "./on-real-runtimes.ts";
import { type Chapter, testsOf } from "./rule.ts";

const looks = testsOf("src/kubelet/probe-worker.test.ts", "a probe worker that looks");
const results = testsOf("src/kubelet/probe-worker.test.ts", "results");
const probing = testsOf("test/kubelet/probing.test.ts", "probes");
const effect = testsOf("src/kubelet/pod-actions.test.ts", "probe results");
const container = testsOf("src/api/core/v1/validate-pod.test.ts", "a container");
const defaults = testsOf("src/api/core/v1/default-pod.test.ts", "a Pod's defaults");
const story = testsOf("test/scenarios/stories.test.ts", "probes");
const wording = testsOf("src/network/probe-errors.test.ts");

export const probes: Chapter = {
  number: 6,
  title: "Probes",
  parts: [
    {
      number: "6.1",
      title: "What a probe may say",
      rules: [
        {
          id: "6.1-1",
          says: "A probe has exactly one handler: exec, httpGet, tcpSocket or grpc.",
          above: container(
            "may not have a probe without a handler",
            "may not have a probe with two handlers",
            "may not have a probe of no command",
          ),
          fields: ["Container.livenessProbe", "Container.readinessProbe", "Container.startupProbe"],
        },
        {
          id: "6.1-2",
          says: "Without other words a probe looks every 10 seconds, gives each look 1, succeeds at the first success and fails at the third failure in a row; httpGet asks for `/` by HTTP.",
          above: defaults("give a probe its timing", "complete handlers"),
        },
        {
          id: "6.1-3",
          says: "Times and thresholds are not negative, and liveness and startup need exactly one success.",
          above: container(
            "may not have negative timing",
            "may not have a liveness probe that needs two successes",
            "may not have a startup probe that needs two successes",
          ),
        },
        {
          id: "6.1-4",
          says: "A probe's own grace period is at least a second, and not for readiness.",
          above: container("may not have a probe without grace", "may not have a readiness probe with grace"),
        },
        {
          id: "6.1-5",
          says: "Ports are 1 to 65535 or the name of a port, schemes HTTP or HTTPS, header names valid.",
          above: container(
            "may not have a probe of port 0",
            "may not have a probe of a bad port name",
            "may not have a probe of gRPC port 0",
            "may not have a probe of an unknown scheme",
            "may not have a probe with a bad header",
          ),
          fields: ["ContainerPort.name"],
        },
        {
          id: "6.1-6",
          says: "Probes and hooks are for regular containers and sidecars, not for init containers that run to completion.",
          above: testsOf("src/api/core/v1/validate-pod.test.ts", "an init container")(
            "that runs to completion has neither hooks nor probes",
            "that keeps running has them all",
          ),
        },
      ],
    },
    {
      number: "6.2",
      title: "When a probe looks",
      rules: [
        {
          id: "6.2-1",
          says: "A probe looks at once when its container has started, and then every `periodSeconds`.",
          above: probing("make a container ready as soon as it answers, looking every period"),
          stories: [
            "a readiness probe asks a second after the start and then each period, and the Pod is Ready with the first success",
          ],
          fields: ["Probe.periodSeconds"],
        },
        {
          id: "6.2-2",
          says: "It waits for `initialDelaySeconds`, counted from the start of the container.",
          above: [
            ...looks(
              "waits for the initial delay",
              "probes when the initial delay is over",
              "says when the initial delay is over",
            ),
            ...probing("wait for the initial delay"),
          ],
          stories: ["initialDelaySeconds counts from the container's start"],
          fields: ["Probe.initialDelaySeconds"],
        },
        {
          id: "6.2-3",
          says: "Each new instance begins as not ready, alive and not started.",
          above: looks(
            "begins a new instance as not ready",
            "begins a new instance as alive",
            "begins a new instance as not started",
          ),
        },
        {
          id: "6.2-4",
          says: "Liveness and readiness are idle until the container has started; the startup probe is idle from then on.",
          above: [
            ...looks(
              "is idle before the container has started",
              "is idle after the container has started, if it is for startup",
            ),
            ...probing("wait with liveness and readiness until startup has succeeded"),
          ],
        },
        {
          id: "6.2-5",
          says: "A container that does not run has failed the probe; one that has ended for good is no longer probed.",
          above: looks(
            "counts a container that does not run as failed, and waits for the next",
            "ends when the container has ended for good",
            "ends with the Pod",
          ),
        },
        {
          id: "6.2-6",
          says: "Only results in a row count: `failureThreshold` failures, `successThreshold` successes.",
          above: [
            ...results(
              "count from the threshold on",
              "count only in a row",
              "need several successes where the probe says so",
            ),
            ...probing("need as many successes as the probe asks for"),
          ],
          fields: ["Probe.failureThreshold", "Probe.successThreshold"],
        },
        {
          id: "6.2-7",
          says: "After a liveness failure and after any startup result the probe rests until the next instance; readiness never rests.",
          above: [
            ...results(
              "hold after a liveness failure",
              "do not hold after a liveness success",
              "hold after a startup success",
              "hold after a startup failure",
              "never hold readiness",
            ),
            ...looks("waits on hold", "leaves the hold with a new instance"),
          ],
        },
        {
          id: "6.2-8",
          says: "A container is probed while an image of the Pod is still being pulled.",
          above: probing("show readiness while another container's image is still being pulled"),
        },
      ],
    },
    {
      number: "6.3",
      title: "What follows from a result",
      rules: [
        {
          id: "6.3-1",
          says: "A container whose startup probe has not succeeded has not started, and is not ready.",
          above: testsOf(
            "src/kubelet/container-statuses.test.ts",
            "started and ready",
          )("not before the startup probe's success"),
          stories: ["a startup probe gives the container its time: liveness waits until it has succeeded once"],
        },
        {
          id: "6.3-2",
          says: "A container that does not start up in time is killed and restarted.",
          decision: [
            ...effect("restarts a container that failed its startup probe"),
            ...probing("kill a container that does not start up in time"),
          ],
          stories: ["a container that does not start up in time is killed and restarted"],
        },
        {
          id: "6.3-3",
          says: "A container that fails its liveness probe is killed and restarted: `Killing` says `Container <c> failed liveness probe, will be restarted`.",
          decision: effect("restarts a container that failed its liveness probe"),
          stories: [
            "a failing liveness probe kills the container after failureThreshold failures, and it is restarted",
          ],
          on: wholeLife,
        },
        {
          id: "6.3-4",
          says: "Readiness makes a container ready or not at once, and never restarts it.",
          above: [
            ...effect("lets a container live that is not ready"),
            ...probing(
              "take a container out of service after failureThreshold failures, and never restart it for that",
            ),
          ],
          stories: [
            "a Pod loses Ready after failureThreshold failures and gets it back after successThreshold successes; nothing is restarted",
          ],
        },
        {
          id: "6.3-5",
          says: "Single failures below the threshold change nothing; each is a Warning `Unhealthy` with what the probe said.",
          above: [
            ...story("single failures below the threshold, with successes between, kill nothing"),
            ...probing("say what an exec probe said, also when it takes too long"),
          ],
          stories: ["what a failing command wrote is in the event"],
        },
        {
          id: "6.3-6",
          says: "Under Never a failed liveness or startup probe ends the container for good, and the Pod with it, with the Pod's own grace, if nothing else runs.",
          decision: [
            ...effect(
              "kills the whole Pod when the policy is Never and nothing else runs",
              "kills only the failed container when the policy is Never and another one runs",
            ),
            ...probing("kill the Pod for good when liveness fails and nothing is restarted"),
          ],
          stories: [
            "under Never the only container's failed liveness probe ends the Pod, with the Pod's own grace",
            "under Never a container that does not start up in time fails its Pod",
          ],
        },
        {
          id: "6.3-7",
          says: "A liveness or startup kill has the probe's own `terminationGracePeriodSeconds`, even a longer one than the Pod's.",
          decision: [
            ...testsOf("src/kubelet/ending-decisions.test.ts", "the grace of a container")(
              "is the probe's after a failed liveness probe, even a longer one",
              "is the Pod's when that probe has none",
            ),
            ...probing("restart a container whose liveness probe fails, with the probe's own grace"),
          ],
          stories: ["a liveness probe's own grace goes before the Pod's when it kills"],
          fields: ["Probe.terminationGracePeriodSeconds"],
        },
        {
          id: "6.3-8",
          says: "Without a result yet a container lives.",
          above: effect(
            "lets a container live whose probes have no result yet",
            "lets a container live whose probes succeed",
          ),
        },
      ],
    },
    {
      number: "6.4",
      title: "httpGet",
      rules: [
        {
          id: "6.4-1",
          says: "Any status from 200 to 399 is a success, any other a failure that names it.",
          stories: ["a http probe fails while the container is not ready, and succeeds when it is"],
          on: {
            process: example("liveness-http.yaml").process,
            containerd: networkCall("httpGet > takes any status for an answer and cuts the body at the limit")
              .containerd,
          },
          fields: ["Probe.httpGet", "HTTPGetAction.path", "HTTPGetAction.port"],
        },
        {
          id: "6.4-2",
          says: "The request carries exactly the headers of the probe and those of every probe (`User-Agent: kube-probe`, `Accept`), on a connection of its own.",
          above: networkCall(
            "httpGet > sends exactly the headers that it was given, on a connection of its own",
            "httpGet > sends a path with blanks and other scripts in it, and reports a header that cannot be sent",
          ).process,
          fields: ["HTTPGetAction.httpHeaders", "HTTPHeader"],
        },
        {
          id: "6.4-3",
          says: "It goes to the Pod's address, or to `host`.",
          above: networkCall("httpGet > names address and port where no host was given").process,
          fields: ["HTTPGetAction.host"],
        },
        {
          id: "6.4-4",
          says: "With HTTPS nobody asks who signed the certificate.",
          above: networkCall("httpGet > does not ask who signed a certificate").process,
          fields: ["HTTPGetAction.scheme"],
        },
        {
          id: "6.4-5",
          says: "Redirects are followed on the same host name, ten at most; one to another host is not.",
          above: [
            ...networkCall(
              "httpGet > follows a redirect on the same host name",
              "httpGet > does not follow a redirect to another host, nor any if told so",
              "httpGet > stops after ten redirects",
            ).process,
            ...wording("leads from /a/b to *"),
          ],
        },
        {
          id: "6.4-6",
          says: "A refused, closed or torn connection and an answer that takes too long are failures, in the words of upstream.",
          above: networkCall(
            "httpGet > words a refused connection as Go does",
            "httpGet > words a connection that is closed without an answer as Go does",
            "httpGet > words a connection that is torn down as Go does",
            "httpGet > gives up on a server that says nothing, and on one that stops in its answer",
          ).process,
        },
        {
          id: "6.4-7",
          says: "An answer that takes longer than `timeoutSeconds` is a failure.",
          decision: story("a probe whose answer takes longer than timeoutSeconds has failed"),
          fields: ["Probe.timeoutSeconds"],
          stories: ["a probe whose answer takes longer than timeoutSeconds has failed"],
          on: networkCall("httpGet > gives up on a server that says nothing, and on one that stops in its answer"),
        },
      ],
    },
    {
      number: "6.5",
      title: "exec",
      rules: [
        {
          id: "6.5-1",
          says: "The command is run in the container; exit code 0 is a success, any other a failure with what it wrote.",
          stories: [
            "a exec probe fails while the container is not ready, and succeeds when it is",
            "what a failing command wrote is in the event",
          ],
          contract: ["runs a command in a container and gives back its output and exit code"],
          on: example("probes-exec.yaml"),
          fields: ["Probe.exec", "ExecAction"],
        },
        {
          id: "6.5-2",
          says: "A command that takes longer than `timeoutSeconds` is killed, and has failed.",
          stories: ["a command that takes longer than timeoutSeconds has failed"],
          contract: ["kills a command that takes too long"],
        },
        {
          id: "6.5-3",
          says: "The command has the container's environment and mounts.",
          contract: [
            "runs a command with the environment of the container",
            "runs commands of execSync among the same mounts",
          ],
        },
        {
          id: "6.5-4",
          says: "A command that cannot be run because its container has just ended is an error of the probe, not a failure of the container.",
          contract: ["runs no command in a container that does not run"],
        },
      ],
    },
    {
      number: "6.6",
      title: "tcpSocket and grpc",
      rules: [
        {
          id: "6.6-1",
          says: "tcpSocket succeeds when the connection is made, and closes it at once; otherwise it fails with the reason.",
          stories: ["a tcp probe fails while the container is not ready, and succeeds when it is"],
          on: {
            process: example("probe-tcp.yaml").process,
            containerd: networkCall(
              "tcpConnect > connects and closes at once",
              "tcpConnect > reports a refused connection",
              "tcpConnect > reports a name that nobody has",
            ).containerd,
          },
          fields: ["Probe.tcpSocket", "TCPSocketAction"],
        },
        {
          id: "6.6-2",
          says: "grpc asks the health service for `service`, and SERVING is a success.",
          stories: ["a grpc probe fails while the container is not ready, and succeeds when it is"],
          on: networkCall("grpcHealth > asks for a service by name and reads its status"),
          fields: ["Probe.grpc", "GRPCAction"],
        },
        {
          id: "6.6-3",
          says: "No connection, no health service, an error of the call and no answer in time are failures in upstream's words.",
          above: networkCall(
            "grpcHealth > reports errors of the call in Go's words",
            "grpcHealth > takes a server of plain HTTP/2 for one without the protocol",
            "grpcHealth > goes on connecting until its time is up",
          ).process,
        },
      ],
    },
    {
      number: "6.8",
      title: "While a Pod ends",
      rules: [
        {
          id: "6.8-1",
          says: "Readiness is asked until the last container has stopped; liveness and startup are not.",
          above: looks(
            "stops looking at liveness when the Pod is being deleted",
            "goes on with readiness when the Pod is being deleted",
          ),
          stories: ["readiness is asked until the last moment of a Pod that is being deleted, liveness is not"],
        },
        {
          id: "6.8-2",
          says: "A container that is being killed for its liveness is not probed meanwhile.",
          above: story(
            "a container that is being killed for its liveness is not probed, nor told to be unhealthy, while it ends",
          ),
        },
      ],
    },
  ],
};
