// What lifepod does differently although it could do the same.

/** @param kubelet the kubelet's own account of itself */
export function differences(kubelet: string): readonly string[] {
  return [
    ...Object.entries(others).flatMap(([title, points]) => [
      `### ${title}`,
      points.map((point) => `- ${point}`).join("\n"),
    ]),
    "### The kubelet",
    between(kubelet, "## Where it differs from upstream on purpose", "## Not here yet").replace(
      /^[^\n]*\n\n(?=1\. )/,
      "",
    ),
    `Not here yet: ${between(kubelet, "## Not here yet", undefined)}`,
  ];
}

const others: Readonly<Record<string, readonly string[]>> = {
  "The API server": [
    "There are two kinds of clients: whoever has the administrator's certificate may do everything; everybody else sees `/version` and the health checks and gets 401 otherwise. There is no RBAC, no impersonation and no service account tokens (`serviceaccounts/token` is answered with 405).",
    "`metadata.managedFields` is never kept, because server-side apply is not served. `fieldManager` is checked and not used.",
    "There is no priority and fairness: more than 400 reads or 200 writes at once are answered with 429 and `Retry-After: 1`, except for administrators, whom upstream exempts as well.",
    "Resource versions count all writes of the cluster, as with etcd; reads without a version come from the server's own copy, which has seen every acknowledged write (docs/decisions/0005).",
  ],
  "The scheduler": [
    "There is one profile, `default-scheduler`, and there are no extenders. A Pod that names another scheduler is left alone.",
    "Of nodes that would cost a preemption the same, the first in the order of the search is taken; upstream takes any of them.",
  ],
  "The controllers": [
    "The namespace controller begins at once, not after the five seconds in which upstream waits for other API servers.",
    "The garbage collector takes owners whose kind is not served (a ReplicaSet, say) for present: it deletes nothing whose owner it cannot ask for.",
    "The garbage collector asks the API server for what an owner still owns before it lets the owner go; upstream trusts its watches.",
  ],
};

/** @throws Error if the text has no such heading: then this file has to be told */
function between(text: string, from: string, to: string | undefined): string {
  const start = text.indexOf(from);
  const end = to === undefined ? text.length : text.indexOf(to);
  if (start === -1 || end === -1) throw new Error(`no "${start === -1 ? from : to}" in the kubelet's account`);
  return text.slice(start + from.length, end).trim();
}
