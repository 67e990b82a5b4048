import type { LaunchFailure, ProcessExit } from "../init/decode.js";
import { SignalScope } from "../init/protocol.js";
import { sandboxFailureError } from "../plan/launch-failure.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { Carrier } from "./carrier.js";
import { findMadeInit } from "./host-processes.js";
import type { InitSession, ProcessListener } from "./init-session.js";

const SIGKILL = 9;

/** What a template is told of the sandboxes that are made after its example. */
export interface MadeCarrierOptions {
  /** The conversation with the template's init. */
  readonly template: InitSession;
  /** The launcher's number for the sandbox's init, as the template knows it. */
  readonly number: number;
  /** Told whether the program is to stay alive for the sandbox: not at first. */
  readonly keepAlive: (isKept: boolean) => void;
}

/** A gio-sandbox-init that a template has made a sandbox for. */
export class MadeCarrier implements Carrier, ProcessListener {
  readonly ended: Promise<void>;
  readonly #options: MadeCarrierOptions;
  #resolveEnded!: () => void;
  /** As the template's sandbox sees it; null before it has told, and after the end. */
  #pid: number | null = null;
  #failure: Error | null = null;
  #exit: ProcessExit | null = null;

  constructor(options: MadeCarrierOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  findInits(): readonly string[] {
    if (this.#pid === null) return [];
    const init = findMadeInit(this.#options.template.findInits(), this.#pid);
    return init === null ? [] : [init];
  }

  onReady(): void {
    // its end says all there is to know
  }

  loss(wasReady: boolean): Error {
    if (this.#failure !== null) return this.#failure;
    const status = this.#exit?.status ?? 0;
    const signal = status & 0x7f;
    const how = signal === 0 ? `exited with code ${status >> 8}` : `was killed by signal ${signal}`;
    const what = wasReady ? "The sandbox was lost while its process ran" : "The sandbox could not be set up";
    return sandboxError("SETUP_FAILED", `${what}: gio-sandbox-init ${how}`);
  }

  kill(): void {
    this.#options.template.signal(this.#options.number, SIGKILL, SignalScope.PROCESS);
  }

  unref(): void {
    this.#options.keepAlive(false);
  }

  ref(): void {
    this.#options.keepAlive(true);
  }

  onStarted(pid: number): void {
    this.#pid = pid;
  }

  onFailed(failure: LaunchFailure): void {
    this.#end(sandboxFailureError(failure));
  }

  onExited(exit: ProcessExit): void {
    this.#exit = exit;
    this.#end(null);
  }

  onLost(error: Error): void {
    this.#end(error);
  }

  #end(failure: Error | null): void {
    this.#failure = failure;
    this.#pid = null;
    this.#options.keepAlive(false);
    this.#resolveEnded();
  }
}
