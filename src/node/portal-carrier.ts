import { constants, fstatSync, openSync } from "node:fs";
import type { PortalMount, SpawnCall } from "../plan/flatpak-portal.js";
import type { PortalEnd } from "../plan/flatpak-portal-failure.js";
import { portalFailure } from "../plan/flatpak-portal-failure.js";
import type { PlannedDescriptor } from "../plan/launch-plan.js";
import { errnoMessage } from "../subprocess/errno.js";
import { ErrorDomain, GLibError, IOErrorEnum, sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import { BusError } from "./bus/bus-error.js";
import type { Carrier } from "./carrier.js";
import { DescriptorScope, O_PATH } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import { FarEnd } from "./far-end.js";
import { childrenOf, endFirstProcess, findFirstProcess, isFirstProcess, killIfThere, LOOK_INTERVAL } from "./host-processes.js";
import { initProgram } from "./init-program.js";
import { listed } from "./listed.js";
import type { Portal, SpawnListener, SpawnMessage } from "./portal.js";
import { errnoOf } from "./system-failure.js";

/** Milliseconds that a launch through the portal waits, at most. */
export interface PortalPatience {
  /** For the reply to `Spawn`. */
  readonly reply: number;
  /** From the launch until init speaks. */
  readonly start: number;
  /** For the end of what was killed. */
  readonly end: number;
}

/** As long as GDBus waits for a reply; a first start from a slow disk may take longer. */
export const PORTAL_PATIENCE: PortalPatience = { reply: 25_000, start: 60_000, end: 5000 };

const SIGKILL = 9;

/** What a launch through the portal is made of. */
export interface PortalLaunch {
  readonly spawn: SpawnCall;
  readonly mounts: readonly PortalMount[];
  /** The word by which the sandbox's first process is found in /proc, if its process ids are exposed to us. */
  readonly label: string;
}

/** A sandbox that Flatpak's portal has made, with gio-sandbox-init in it. */
export class PortalCarrier implements Carrier, SpawnListener {
  readonly ended: Promise<void>;
  readonly #portal: Portal;
  readonly #label: string;
  readonly #patience: PortalPatience;
  readonly #scope = new DescriptorScope();
  readonly #diagnostics: number;
  readonly #farEnd: FarEnd;
  readonly #startTimer: NodeJS.Timeout;
  #resolveEnded!: () => void;
  /** The portal's name for it. */
  #handle: number | null = null;
  #firstProcess: number | null = null;
  #isReady = false;
  #isKilled = false;
  #end: PortalEnd | null = null;
  #error: unknown = null;
  #complaint = "";

  /**
   * Starts it.
   *
   * @param control the far end of init's control socket; it stays the caller's
   * @throws GLibError if it could not even be tried
   */
  constructor(portal: Portal, { spawn, mounts, label }: PortalLaunch, control: number, patience: PortalPatience) {
    this.#portal = portal;
    this.#label = label;
    this.#patience = patience;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    using temporary = new DescriptorScope();
    try {
      this.#diagnostics = openDiagnostics(this.#scope);
      const message = realised(spawn, { mounts, control, diagnostics: this.#diagnostics }, temporary);
      this.#farEnd = new FarEnd(control);
      portal.keep(this);
      portal.spawn(message, patience.reply, this).then(
        (handle) => this.#onSpawned(handle),
        (error: unknown) => this.#onSpawnError(error),
      );
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    }
    this.#startTimer = setTimeout(() => this.#giveUp({ kind: "silent", milliseconds: patience.start }), patience.start);
    this.#startTimer.unref();
  }

  /** The sandbox's first process, as far as this program can see it: its process ids may not be exposed to us. */
  get #pid(): number | null {
    if (this.#end !== null || !this.#portal.facts.supportsExposedPids) return null;
    // a number that the portal told, or that we had, may be another's by now
    if (this.#firstProcess === null || !isFirstProcess(this.#firstProcess, this.#label)) {
      this.#firstProcess = findFirstProcess(this.#label);
    }
    return this.#firstProcess;
  }

  findInits(): readonly string[] {
    return childrenOf(this.#pid);
  }

  onReady(): void {
    this.#isReady = true;
    clearTimeout(this.#startTimer);
    this.#farEnd.release();
  }

  loss(wasReady: boolean): Error {
    if (this.#error instanceof Error) return this.#error;
    return portalFailure(this.#end ?? { kind: "vanished" }, wasReady, this.#complaint);
  }

  kill(): void {
    this.#kill({ kind: "silent", milliseconds: this.#patience.end });
  }

  unref(): void {
    this.#portal.let(this);
  }

  ref(): void {
    if (this.#end === null) this.#portal.keep(this);
  }

  onSpawnStarted(pid: number): void {
    if (pid > 0) this.#firstProcess ??= pid;
  }

  onSpawnExited(status: WaitStatus): void {
    this.#finish({ kind: "exited", status });
  }

  onPortalVanished(): void {
    this.#onAbandoned({ kind: "vanished" });
  }

  onDisconnected(message: string): void {
    this.#onAbandoned({ kind: "disconnected", message });
  }

  #onSpawned(handle: number): void {
    this.#handle = handle;
    // it was given up in the meantime, or has ended by itself
    if (this.#end !== null) this.#portal.forget(handle);
    if (this.#end !== null && this.#end.kind !== "exited") this.#portal.signalGroup(handle, SIGKILL).catch(() => undefined);
  }

  #onSpawnError(error: unknown): void {
    if (error instanceof BusError) this.#finish({ kind: "refused", name: error.remoteName, message: error.remoteMessage });
    else if (is(error, IOErrorEnum.TIMED_OUT)) this.#giveUp({ kind: "silent", milliseconds: this.#patience.reply });
    else if (is(error, IOErrorEnum.CLOSED)) this.#finish({ kind: "disconnected", message: (error as Error).message });
    else {
      this.#error = error;
      this.#finish({ kind: "vanished" });
    }
  }

  /** Nobody tells of the sandbox any more, and nobody but its init, if there is one, ends it. */
  #onAbandoned(end: PortalEnd): void {
    if (!this.#isReady) {
      this.#giveUp(end);
      return;
    }
    const look = (): void => {
      if (this.#end === null && this.#pid !== null) setTimeout(look, LOOK_INTERVAL).unref();
      else this.#finish(end);
    };
    look();
  }

  #giveUp(end: PortalEnd): void {
    this.#kill(end);
    this.#finish(end);
  }

  /** @param end what is taken to have happened, if it does not help */
  #kill(end: PortalEnd): void {
    if (this.#isKilled || this.#end !== null) return;
    this.#isKilled = true;
    if (this.#pid !== null) killIfThere(this.#pid);
    if (this.#handle !== null) {
      // one that the portal does not know any more has ended
      this.#portal.signalGroup(this.#handle, SIGKILL).catch((error: unknown) => {
        if (error instanceof BusError) this.#finish(end);
      });
    }
    const timer = setTimeout(() => this.#finish(end), this.#patience.end);
    void this.ended.then(() => clearTimeout(timer));
  }

  #finish(end: PortalEnd): void {
    if (this.#end !== null) return;
    const first = this.#pid;
    this.#end = end;
    clearTimeout(this.#startTimer);
    if (this.#handle !== null) this.#portal.forget(this.#handle);
    // whoever else has it: nothing will come from there
    this.#farEnd.shutDown();
    // `flatpak run` has ended
    void endFirstProcess(first, this.#label, this.#patience.end).then(() => {
      this.#complaint = readDiagnostics(this.#diagnostics);
      this.#scope[Symbol.dispose]();
      this.#portal.let(this);
      this.#resolveEnded();
    });
  }
}

function is(error: unknown, code: number): boolean {
  return error instanceof GLibError && error.matches(ErrorDomain.IO, code);
}

interface Means {
  readonly mounts: readonly PortalMount[];
  readonly control: number;
  readonly diagnostics: number;
}

/** The message of a plan, with descriptors that live as long as `temporary`. */
function realised(spawn: SpawnCall, means: Means, temporary: DescriptorScope): SpawnMessage {
  const { directory, argv, environment, flags, sandboxFlags } = spawn;
  const descriptors = spawn.descriptors.map((planned) => realise(planned, means, temporary));
  const at = (place: number): number => listed(descriptors, place);
  return {
    ...{ directory, argv, environment, flags, sandboxFlags },
    descriptors: new Map([...spawn.numbers].map(([number, place]) => [number, at(place)])),
    exposed: spawn.exposed.map(at),
    exposedReadOnly: spawn.exposedReadOnly.map(at),
  };
}

function realise(planned: PlannedDescriptor, { mounts, control, diagnostics }: Means, temporary: DescriptorScope): number {
  switch (planned.kind) {
    case "null":
      return temporary.own(openSync("/dev/null", constants.O_RDWR));
    case "diagnostics":
      return diagnostics;
    case "control":
      return control;
    case "init":
      return initProgram();
    case "granted":
      return openMount(listed(mounts, planned.index), temporary);
    case "data":
    case "child":
      throw new RangeError(`A plan for the portal has no descriptor of the kind ${planned.kind}`);
  }
}

/** The portal takes descriptors only that do not follow links: what was granted is opened again so, and compared. */
function openMount({ path, device, inode }: PortalMount, temporary: DescriptorScope): number {
  let file: number;
  try {
    file = temporary.own(openSync(path, O_PATH | constants.O_NOFOLLOW));
  } catch (cause) {
    throw sandboxError("SETUP_FAILED", `“${printable(path)}” cannot be granted any more: ${errnoMessage(errnoOf(cause))}`, { cause });
  }
  const { dev, ino } = fstatSync(file, { bigint: true });
  if (dev === device && ino === inode) return file;
  throw sandboxError("SETUP_FAILED", `“${printable(path)}” cannot be granted any more: another file has taken its place`);
}
