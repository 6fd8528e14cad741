// The static Pods of one node: reads the folder, keeps a worker for each manifest, and a mirror in the API for each worker.

import type { Node, Pod } from "../api/generated/core-v1.ts";
import { isReason } from "../api/wire/status-error.ts";
import { after, elapsed, type Instant, millis, seconds, type Timer } from "../base/time.ts";
import { errorText } from "./kubelet-parts.ts";
import type { NodeWork } from "./node-work.ts";
import { namespaceOf } from "./pod-containers.ts";
import { isMirrorOf, mirrorPodFor, readStaticPod } from "./static-pod.ts";
import { planStaticPod } from "./static-pod-plan.ts";
import { newer } from "./status-reporter.ts";

/** The folder is looked at so often, should no word of a change come. */
const readPeriod = seconds(20);
/** A file may still be being written when word of it comes. */
const quietTime = millis(200);

export interface StaticPodWorkers {
  /** The node's object, once it is known. */
  node(): Node | undefined;
  /** Takes a Pod in as if it had been bound to this node. */
  start(pod: Pod): void;
  /** The same Pod with the status that the API shows. `isNew`: it shows another object than before. */
  shown(pod: Pod, isNew: boolean): void;
  /** Ends it with its grace. */
  end(pod: Pod): void;
}

/** What is known under one `namespace/name`. */
interface Entry {
  desired: Pod | undefined;
  running: { readonly pod: Pod; ending: boolean } | undefined;
  mirror: Pod | undefined;
  busy: boolean;
  dirty: boolean;
  retry: Timer | undefined;
}

export class StaticPods {
  readonly #work: NodeWork;
  readonly #workers: StaticPodWorkers;
  readonly #entries = new Map<string, Entry>();
  /** What was read last, by path; a Pod keeps its identity while its file says the same. */
  #manifests = new Map<string, { readonly text: string; readonly pod: Pod | undefined }>();
  #begun = false;
  #stopped = false;
  #timer: Timer | undefined;
  #unwatch: (() => void) | undefined;
  #lastFault = "";
  #reading = false;
  #ended = false;

  constructor(work: NodeWork, workers: StaticPodWorkers) {
    this.#work = work;
    this.#workers = workers;
  }

  /** Reads the folder for the first time; the mirrors that the API has must be known by now. */
  async start(): Promise<void> {
    const { filesystem, node } = this.#work.parts;
    const folder = node.staticPodPath;
    if (folder !== undefined) {
      await this.#read(folder);
      if (this.#stopped) return;
      this.#unwatch = filesystem.watch?.(folder, () => this.#readAt(folder, after(this.#now(), quietTime)));
      this.#readAt(folder, after(this.#now(), readPeriod));
    }
    this.#begun = true;
    for (const key of this.#entries.keys()) this.#wake(key);
  }

  /** Ends the care for them, not the Pods. */
  stop(): void {
    this.#stopped = true;
    this.#unwatch?.();
    this.#timer?.cancel();
    for (const { retry } of this.#entries.values()) retry?.cancel();
  }

  /** Ends all of them as if their files had gone, for good. */
  endAll(): void {
    this.#ended = true;
    this.#unwatch?.();
    this.#timer?.cancel();
    this.#ask(new Map());
  }

  /** The API shows a mirror Pod. */
  seen(mirror: Pod): void {
    const key = keyOf(mirror);
    const entry = this.#entry(key);
    const before = entry.mirror;
    const isNew = before?.metadata.uid !== mirror.metadata.uid;
    if (before !== undefined && newer(before, mirror) !== mirror) return;
    entry.mirror = mirror;
    const { running } = entry;
    if (running !== undefined && !running.ending && isMirrorOf(mirror, running.pod)) {
      this.#work.reporter.seenInApi(mirror, running.pod.metadata.uid);
      this.#workers.shown({ ...running.pod, status: mirror.status }, isNew);
    }
    this.#wake(key);
  }

  /** A mirror Pod has gone from the API. */
  gone(mirror: Pod): void {
    const key = keyOf(mirror);
    const entry = this.#entry(key);
    if (entry.mirror?.metadata.uid !== mirror.metadata.uid) return;
    entry.mirror = undefined;
    if (entry.running !== undefined) this.#work.reporter.forget(entry.running.pod.metadata.uid);
    this.#wake(key);
  }

  /** Nothing of the Pod is left on this node. */
  ended(uid: string): void {
    for (const [key, entry] of this.#entries) {
      if (entry.running?.pod.metadata.uid !== uid) continue;
      entry.running = undefined;
      this.#work.reporter.forget(uid);
      this.#wake(key);
    }
  }

  /** The uid of the Pod that a mirror stands for, which is what its containers and logs are known by. */
  uidBehind(mirror: Pod): string | undefined {
    const running = this.#entries.get(keyOf(mirror))?.running?.pod;
    return running !== undefined && isMirrorOf(mirror, running) ? running.metadata.uid : undefined;
  }

  #readAt(folder: string, at: Instant): void {
    if (this.#stopped || this.#ended) return;
    this.#timer?.cancel();
    this.#timer = this.#work.parts.clock.setTimer(
      millis(Math.max(1, elapsed(this.#now(), at))),
      () => {
        void this.#read(folder).finally(() => this.#readAt(folder, after(this.#now(), readPeriod)));
      },
      "static Pods",
    );
  }

  /** Files that cannot be read at the moment change nothing; files that say nothing sensible ask for nothing. */
  async #read(folder: string): Promise<void> {
    const { filesystem, log } = this.#work.parts;
    if (this.#reading || this.#ended) return;
    this.#reading = true;
    try {
      const texts = new Map<string, string>();
      for (const name of await filesystem.list(folder)) {
        const path = `${folder}/${name}`;
        if (name.startsWith(".") || (await filesystem.kindOf(path)) !== "file") continue;
        const content = await filesystem.readFile(path);
        if (content !== undefined) texts.set(path, new TextDecoder().decode(content));
      }
      this.#lastFault = "";
      if (!this.#stopped && !this.#ended) this.#take(texts);
    } catch (error) {
      const fault = `reading static Pods from ${folder}: ${errorText(error)}`;
      if (fault !== this.#lastFault) log(fault);
      this.#lastFault = fault;
    } finally {
      this.#reading = false;
    }
  }

  #take(texts: ReadonlyMap<string, string>): void {
    const { log } = this.#work.parts;
    const before = this.#manifests;
    this.#manifests = new Map(
      [...texts].map(([path, text]) => {
        const known = before.get(path);
        return [path, known?.text === text ? known : { text, pod: this.#podOf(path, text) }];
      }),
    );
    const desired = new Map<string, Pod>();
    for (const [path, { pod }] of this.#manifests) {
      if (pod === undefined) continue;
      const key = keyOf(pod);
      if (!desired.has(key)) desired.set(key, pod);
      else if (before.get(path)?.pod !== pod) log(`static Pod ${path}: another file asks for ${key}; this one is left`);
    }
    this.#ask(desired);
  }

  #podOf(path: string, text: string): Pod | undefined {
    const { log, node, clock } = this.#work.parts;
    try {
      const { pod, warnings } = readStaticPod(text, { path, nodeName: node.name, seenAt: clock.now() });
      for (const warning of warnings) log(`static Pod ${path}: ${warning}`);
      return pod;
    } catch (error) {
      log(`static Pod ${path}: ${errorText(error)}`);
      return undefined;
    }
  }

  #ask(desired: ReadonlyMap<string, Pod>): void {
    for (const [key, pod] of desired) this.#entry(key).desired = pod;
    for (const [key, entry] of this.#entries) {
      if (!desired.has(key)) entry.desired = undefined;
      this.#wake(key);
    }
  }

  #wake(key: string): void {
    if (!this.#begun || this.#stopped) return;
    const entry = this.#entry(key);
    entry.dirty = true;
    if (!entry.busy) void this.#run(key, entry);
  }

  async #run(key: string, entry: Entry): Promise<void> {
    const { clock, log } = this.#work.parts;
    entry.busy = true;
    while (entry.dirty && !this.#stopped) {
      entry.dirty = false;
      entry.retry?.cancel();
      try {
        if (await this.#step(entry)) entry.dirty = true;
      } catch (error) {
        if (this.#stopped) break;
        log(`static Pod ${key}: ${errorText(error)}`);
        const wait = millis(Math.max(1, elapsed(clock.now(), this.#work.retryTime())));
        entry.retry = clock.setTimer(wait, () => this.#wake(key), `static Pod ${key}`);
      }
    }
    entry.busy = false;
    const { desired, running, mirror } = entry;
    if (desired === undefined && running === undefined && mirror === undefined) this.#entries.delete(key);
  }

  /** Takes one step; answers whether there may be another. */
  async #step(entry: Entry): Promise<boolean> {
    const { desired, running, mirror } = entry;
    switch (planStaticPod(entry)) {
      case "nothing":
        return false;
      case "start":
        this.#start(entry, desired as Pod);
        return true;
      case "end": {
        if (running === undefined) return false;
        running.ending = true;
        this.#workers.end(running.pod);
        return false;
      }
      case "createMirror":
        return this.#createMirror((running as NonNullable<Entry["running"]>).pod);
      case "deleteMirror":
        return this.#deleteMirror(mirror as Pod);
    }
  }

  #start(entry: Entry, pod: Pod): void {
    entry.running = { pod, ending: false };
    const { mirror } = entry;
    const shown = mirror !== undefined && isMirrorOf(mirror, pod) ? mirror : undefined;
    if (shown !== undefined) this.#work.reporter.seenInApi(shown, pod.metadata.uid);
    this.#workers.start(shown === undefined ? pod : { ...pod, status: shown.status });
  }

  async #createMirror(pod: Pod): Promise<boolean> {
    const node = this.#workers.node();
    if (node === undefined) throw new Error("its node is not registered");
    try {
      const { client } = this.#work.parts;
      this.seen(await client.pods.create(mirrorPodFor(pod, node), namespaceOf(pod)));
      return true;
    } catch (error) {
      if (isReason(error, "AlreadyExists")) return false; // the informer will show it
      throw error;
    }
  }

  async #deleteMirror(mirror: Pod): Promise<boolean> {
    const { name, uid } = mirror.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    try {
      await this.#work.parts.client.pods.delete(name, namespaceOf(mirror), options);
    } catch (error) {
      if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
    }
    this.gone(mirror);
    return true;
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = {
        desired: undefined,
        running: undefined,
        mirror: undefined,
        busy: false,
        dirty: false,
        retry: undefined,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #now(): Instant {
    return this.#work.parts.clock.now();
  }
}

const keyOf = (pod: Pod): string => `${namespaceOf(pod)}/${pod.metadata.name}`;
