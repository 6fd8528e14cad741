import { elapsed, type Instant, type Millis, millis, minutes, seconds } from "../../../base/time.ts";
import type { Finding, Invariant, MachineSighting } from "../inhabitant.ts";
import type { WorldView } from "../world-view.ts";
import { containerSighting } from "./container-history.ts";

const first = seconds(10);
const longest = minutes(5);

interface Past {
  /** What the container was made of: a change of it is a fresh start. */
  readonly recipe: string;
  /** The pause that the next restart must keep; none before the first restart. */
  readonly pause: Millis | undefined;
  /** When the last two instances ended that ended by themselves. */
  readonly ends: readonly Instant[];
  /** The last one was stopped by the kubelet: what it stops in order to start it anew does not wait. */
  readonly wasStopped: boolean;
  /** The sandbox of the last instance. */
  readonly sandbox: string;
}

/**
 * No container starts again sooner than its back-off lets it: at once the first time, then after 10 s, 20 s … 5 min, whoever restarts meanwhile; forgotten
 * after 10 min without a start (pod-lifecycle 5.2). What the kubelet remembers as its last try lies between the ends of two instances:
 * the pause is demanded only where it must be due.
 */
export function backOffIsWaited(): Invariant {
  const pasts = new Map<string, Past>();
  const stopping = new Set<string>();
  return {
    name: "no restart sooner than its back-off",
    *onMachine(event: MachineSighting, view: WorldView): Iterable<Finding> {
      if (event.kind === "containerStopping") stopping.add(event.containerId ?? "");
      const seen = containerSighting(event, view);
      if (seen === undefined) return;
      const { uid, name, container, at, subject } = seen;
      const key = `${uid}/${name}`;
      const recipe = JSON.stringify([container.image, container.resources]);
      const known = pasts.get(key);
      const past: Past =
        known?.recipe === recipe
          ? known
          : { recipe, pause: undefined, ends: [], wasStopped: false, sandbox: container.sandboxId };
      if (seen.kind === "exited") {
        const wasStopped = stopping.delete(container.id);
        pasts.set(key, {
          ...past,
          wasStopped,
          sandbox: container.sandboxId,
          ends: wasStopped ? past.ends : [at, ...past.ends].slice(0, 2),
        });
        return;
      }
      const [end, endBefore] = past.ends;
      // With a new sandbox the records of init containers go, and with them what a pause could count from.
      const isInit = seen.pod?.spec.initContainers?.some((each) => each.name === name) === true;
      const startsAnew = isInit && past.sandbox !== container.sandboxId;
      if (end === undefined || past.wasStopped || startsAnew) {
        pasts.set(key, { ...past, wasStopped: false });
        return;
      }
      const isForgotten = endBefore !== undefined && elapsed(endBefore, end) > 2 * longest;
      const due = isForgotten ? undefined : past.pause;
      if (due !== undefined && elapsed(end, at) < due) {
        yield { subject, text: `started ${elapsed(end, at)} ms after its end; it had to wait ${due} ms` };
      }
      pasts.set(key, {
        ...past,
        wasStopped: false,
        pause: due === undefined ? first : millis(Math.min(due * 2, longest)),
      });
    },
  };
}
