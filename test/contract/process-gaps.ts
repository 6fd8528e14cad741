// What of the runtime contract plain processes cannot keep, and why. The suite skips it; docs/parity.md tells it.

export const processGaps: Readonly<Record<string, string>> = {
  "tells the two streams of a log apart": "both go into one file, so that their order is kept",
  "pulls an image once and knows it then": "images are only names",
  "fails to pull an image that does not exist, and does not have it then": "images are only names",
};

const needsRoot = "needs root";

export const processGapsWithoutRoot: Readonly<Record<string, string>> = {
  "runs a container as the user and group that were asked for": needsRoot,
  "shows files and folders of the node inside the container": needsRoot,
  "lets nothing be written through a read-only mount": needsRoot,
  "runs commands of execSync among the same mounts": needsRoot,
  "brings a termination message out through its file": needsRoot,
};
