// What of the runtime contract declared containers cannot keep, and why.

export const simulatedGaps: Readonly<Record<string, string>> = {
  "passes the input of a client on to the container's own process": "a declared behaviour reads nothing",
  "keeps the input of a container when it is opened again": "a declared behaviour reads nothing",
  "gives a terminal the size of the client's": "a declared behaviour has no terminal",
  "says why no connection can be made to a port of a sandbox": "declared servers answer probes, not bytes",
};
