// What every controller is given.

import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { ControllerFailure } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { SharedInformers } from "./shared-informers.ts";

export interface ControllerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly informers: SharedInformers;
  /** Events as this component reports them: `node-controller`. */
  readonly recorderFor: (component: string) => EventRecorder;
  /** Told about each turn that failed; the controller tries again by itself. */
  readonly onFailure: (failure: ControllerFailure) => void;
}

export interface RunningController {
  /** Resolves after the turns in progress. */
  stop(): Promise<void>;
}
