import { describeTranscripts } from "./describe-transcripts.ts";

// All use up the one node, so they take turns.
describeTranscripts(["disruption-budgets", "preemption"], { atOnce: 1 });
