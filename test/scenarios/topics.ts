// All stories, by topic.

import type { Story } from "../../src/testing/index.ts";
import { stories as autoscaling } from "./autoscaling.stories.ts";
import { stories as crash } from "./crash.stories.ts";
import { stories as cronJobs } from "./cron-jobs.stories.ts";
import { stories as ephemeralContainers } from "./ephemeral-containers.stories.ts";
import { stories as daemonSets } from "./daemon-sets.stories.ts";
import { stories as disruptionBudgets } from "./disruption-budgets.stories.ts";
import { stories as environment } from "./environment.stories.ts";
import { stories as failures } from "./failures.stories.ts";
import { stories as hooks } from "./hooks.stories.ts";
import { stories as images } from "./images.stories.ts";
import { stories as initContainers } from "./init-containers.stories.ts";
import { stories as jobs } from "./jobs.stories.ts";
import { stories as kubelet } from "./kubelet.stories.ts";
import { stories as nodes } from "./nodes.stories.ts";
import { stories as preemption } from "./preemption.stories.ts";
import { stories as probes } from "./probes.stories.ts";
import { stories as scheduling } from "./scheduling.stories.ts";
import { stories as serviceTraffic } from "./service-traffic.stories.ts";
import { stories as starting } from "./starting.stories.ts";
import { stories as services } from "./services.stories.ts";
import { stories as staticPods } from "./static-pods.stories.ts";
import { stories as statefulSets } from "./stateful-sets.stories.ts";
import { stories as termination } from "./termination.stories.ts";
import { stories as volumes } from "./volumes.stories.ts";
import { stories as workloads } from "./workloads.stories.ts";

export const topics: Readonly<Record<string, readonly Story[]>> = {
  starting,
  crash,
  images,
  probes,
  hooks,
  termination,
  environment,
  "kubelet and runtime": kubelet,
  scheduling,
  preemption,
  "nodes, namespaces and events": nodes,
  "init containers": initContainers,
  "ephemeral containers": ephemeralContainers,
  "static Pods": staticPods,
  workloads,
  StatefulSets: statefulSets,
  DaemonSets: daemonSets,
  Jobs: jobs,
  CronJobs: cronJobs,
  "disruption budgets": disruptionBudgets,
  autoscaling,
  services,
  volumes,
  failures,
  "traffic to Services": serviceTraffic,
};
