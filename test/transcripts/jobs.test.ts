import { describeTranscripts } from "./describe-transcripts.ts";

// What runs to its end, as real processes.
describeTranscripts(["jobs"], { atOnce: 2 });
