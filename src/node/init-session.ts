import type { InitEvent, LaunchFailure, ProcessExit } from "../init/decode.js";
import type { SignalScope } from "../init/protocol.js";
import { refusalError, sandboxFailureError } from "../plan/launch-failure.js";
import { ioError } from "../subprocess/glib-error.js";
import type { PreparedLaunch } from "./backend.js";
import type { Carrier, StartedCarrier } from "./carrier.js";
import { Control } from "./control.js";

/** Who hears of one process in a sandbox. */
export interface ProcessListener {
  /** @param pid as the sandbox sees it */
  onStarted(pid: number): void;
  /** Nothing is heard of it after that. */
  onFailed(failure: LaunchFailure): void;
  /** Nothing is heard of it after that. */
  onExited(exit: ProcessExit): void;
  /** The sandbox could not be set up, or was lost while the process ran. */
  onLost(error: Error): void;
}

/** A session with the init of a sandbox that has been started. */
export function sessionOf(started: StartedCarrier): InitSession {
  return new InitSession(started);
}

/**
 * Writes to init what it is to be told first, or ends the session.
 *
 * @throws GLibError as of `PreparedLaunch.frames`
 */
export async function greet(session: InitSession, { frames, descriptors }: PreparedLaunch): Promise<void> {
  try {
    session.write(frames(), descriptors);
  } catch (error) {
    session.close();
    await session.ended;
    throw error;
  }
}

/** The conversation with the gio-sandbox-init of one sandbox, whatever carries it. */
export class InitSession {
  /** Settles, without an error, when nothing of the sandbox is left. */
  readonly ended: Promise<void>;
  /** Settles when init has spoken; rejects if the sandbox could not be set up. */
  readonly ready: Promise<void>;
  readonly #carrier: Carrier;
  readonly #control: Control;
  /** By the launcher's number for the process. */
  readonly #listeners = new Map<number, ProcessListener>();
  #resolveEnded!: () => void;
  #resolveReady!: () => void;
  #rejectReady!: (error: Error) => void;
  #lastNumber = 0;
  #loss: Error | null = null;
  #refusal: Error | null = null;
  #controlError: Error | null = null;
  #wasReady = false;
  #isClosed = false;
  #carrierEnded = false;
  #controlEnded = false;

  constructor({ carrier, control }: StartedCarrier) {
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // who launches a process hears of the loss through that
    this.ready.catch(() => undefined);
    this.#carrier = carrier;
    this.#control = new Control(control, {
      onEvent: (event) => this.#onEvent(event),
      onEnd: (error) => this.#onControlEnd(error),
    });
    void this.#carrier.ended.then(() => this.#onCarrierEnd());
  }

  /** The pids on the host, in decimal, of what may be init; none if that cannot be seen. */
  findInits(): readonly string[] {
    return this.#carrier.findInits();
  }

  /** Why the sandbox ended although nobody closed it; null while it runs, and if it was closed. */
  get loss(): Error | null {
    return this.#loss;
  }

  /** Whether what was to set the sandbox up has said that it could not. */
  get couldNotBeSetUp(): boolean {
    return !this.#wasReady && (this.#refusal !== null || this.#carrier.hasComplained?.() === true);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A number for a process that no living one has, unless that is older than 2³² others. */
  newNumber(): number {
    this.#lastNumber = (this.#lastNumber % MAX_NUMBER) + 1;
    return this.#lastNumber;
  }

  /** Tells `listener` of the process that the launcher gives this number. */
  listen(process: number, listener: ProcessListener): void {
    this.#listeners.set(process, listener);
  }

  /** @param descriptors go with the first frame, a LAUNCH; they stay the caller's */
  write(frames: Uint8Array, descriptors: readonly number[] = []): void {
    this.#control.write(frames, descriptors);
  }

  signal(process: number, signal: number, scope: SignalScope): void {
    this.#control.signal(process, signal, scope);
  }

  /**
   * Kills everything in the sandbox, whatever state it is in. Nothing is heard of it after that but `ended`, for which the
   * program stays alive; processes that ran in it are lost.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#abandonListeners(ioError("CLOSED", "The sandbox was closed while the process ran"));
    this.ref();
    this.#control.close();
    this.#forceEnd();
  }

  /** Lets the program end, and the sandbox with it, although something still runs in there. One that is closed has its end awaited. */
  unref(): void {
    if (this.#isClosed) return;
    this.#control.unref();
    this.#carrier.unref();
  }

  /** Undoes `unref()`. */
  ref(): void {
    this.#control.ref();
    this.#carrier.ref();
  }

  #onEvent(event: InitEvent): void {
    if (this.#isClosed) return;
    switch (event.type) {
      case "ready":
        this.#wasReady = true;
        this.#carrier.onReady();
        this.#resolveReady();
        break;
      case "started":
        this.#listeners.get(event.process)?.onStarted(event.pid);
        break;
      case "failed":
        if (event.process === 0) this.#refusal = sandboxFailureError(event);
        else this.#last(event.process)?.onFailed(event);
        break;
      case "exited":
        this.#last(event.process)?.onExited(event);
        break;
      case "refused":
        this.#refusal = refusalError(event.reason);
        break;
      case "empty":
        break;
    }
  }

  #last(process: number): ProcessListener | undefined {
    const listener = this.#listeners.get(process);
    this.#listeners.delete(process);
    return listener;
  }

  #onCarrierEnd(): void {
    this.#carrierEnded = true;
    this.#onSomeEnd();
  }

  #onControlEnd(error: Error | null): void {
    this.#controlEnded = true;
    this.#controlError = error;
    this.#forceEnd();
    this.#onSomeEnd();
  }

  #onSomeEnd(): void {
    if (!this.#carrierEnded || !this.#controlEnded) return;
    if (!this.#isClosed) this.#lose();
    this.#rejectReady(this.#loss ?? ioError("CLOSED", "The sandbox was closed before it was ready"));
    this.#resolveEnded();
  }

  #lose(): void {
    this.#loss = this.#controlError ?? this.#refusal ?? this.#carrier.loss(this.#wasReady);
    this.#abandonListeners(this.#loss);
  }

  #abandonListeners(error: Error): void {
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.onLost(error);
  }

  /**
   * Without its control socket init exits, as soon as it runs. bwrap must not be killed before that: its child would wait
   * for it for ever. Only what does not end by itself is killed, from below.
   */
  #forceEnd(): void {
    const timer = setTimeout(() => this.#carrier.kill(), PATIENCE);
    timer.unref();
    void this.#carrier.ended.then(() => clearTimeout(timer));
  }
}

const MAX_NUMBER = 0xffffffff;

/** Milliseconds that a sandbox has to end by itself. */
const PATIENCE = 5000;
