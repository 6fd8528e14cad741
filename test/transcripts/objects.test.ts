import { describeTranscripts } from "./describe-transcripts.ts";

// What needs no running Pod.
describeTranscripts(
  [
    "get",
    "create",
    "apply",
    "edit",
    "replace",
    "patch",
    "label-annotate",
    "delete",
    "describe",
    "discovery",
    "explain",
    "errors",
  ],
  { atOnce: 2 },
);
