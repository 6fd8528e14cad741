import { describeTranscripts } from "./describe-transcripts.ts";

// The lives of Pods, as real processes.
describeTranscripts(["run", "exec", "debug", "logs", "pods", "events", "wait", "delete-pods", "workloads"], {
  atOnce: 2,
});
