import { describeTranscripts } from "./describe-transcripts.ts";

// What keeps one Pod for each ordinal, and one for each node, as real processes.
describeTranscripts(["stateful-sets", "daemon-sets"], { atOnce: 2 });
