// Where container runtimes listen.

/** The sockets that `--runtime auto` tries, in this order. */
export const defaultCriEndpoints: readonly string[] = [
  "/run/containerd/containerd.sock",
  "/run/k3s/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/run/cri-dockerd.sock",
];

/** The path of a socket given as `unix:///run/x.sock`, `unix:/run/x.sock` or `/run/x.sock`. @throws for anything else */
export function socketPathOf(endpoint: string): string {
  const path = endpoint.replace(/^unix:(\/\/)?(?=\/)/, "");
  if (!path.startsWith("/"))
    throw new Error(
      `a CRI endpoint is a unix socket such as unix:///run/containerd/containerd.sock, not "${endpoint}"`,
    );
  return path;
}
