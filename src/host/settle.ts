/**
 * Resolves when every promise that can settle has settled: microtasks run dry before the event loop takes its next turn. What a VirtualClock is
 * given on this host.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
