import { describeTranscripts } from "./describe-transcripts.ts";

// What Pods use, and what scales by it, as real processes.
describeTranscripts(["autoscale"], { atOnce: 2 });
