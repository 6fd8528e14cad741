import { describeTranscripts } from "./describe-transcripts.ts";

describeTranscripts(["services"], { atOnce: 2 });
