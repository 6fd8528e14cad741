// What containerd's log says of containers that it was killed in the middle of making.

/**
 * How many instances of a container were asked for and never answered. containerd finds them again without their status, so whether they ran is unknown; they are
 * ended and count as an instance, as they do upstream, though they never began.
 * @param log containerd's own
 */
export function lostCreations(log: string, pod: string, container: string): number {
  const made = new RegExp(
    `RunPodSandbox for &PodSandboxMetadata\\{Name:${pod},.* returns sandbox id \\\\"([0-9a-f]+)\\\\"`,
    "g",
  );
  const sandboxes = [...log.matchAll(made)].map(([, id = ""]) => id);
  return sandboxes.reduce((sum, id) => {
    const creation = (rest: string) => new RegExp(`CreateContainer within sandbox \\\\"${id}\\\\" for ${rest}`, "g");
    const asked = log.match(creation(`container &ContainerMetadata\\{Name:${container},`))?.length ?? 0;
    const answered = log.match(creation(`&ContainerMetadata\\{Name:${container},.* returns`))?.length ?? 0;
    return sum + asked - answered;
  }, 0);
}
