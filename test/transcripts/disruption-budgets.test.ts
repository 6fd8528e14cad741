import { describeTranscripts } from "./describe-transcripts.ts";

// All drain the one node, so they take turns.
describeTranscripts(["disruption-budgets"], { atOnce: 1 });
