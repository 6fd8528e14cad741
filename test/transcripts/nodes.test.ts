import { describeTranscripts } from "./describe-transcripts.ts";

// All share the one node, so they take turns.
describeTranscripts(["nodes"], { atOnce: 1 });
