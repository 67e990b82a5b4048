import type { LaunchFailure, ProcessExit } from "../init/decode.js";
import { cancelledError } from "../subprocess/glib-error.js";
import type { Cancellable } from "./cancellable.js";
import { whenCancelled } from "./cancellable.js";
import type { ProcessListener } from "./init-session.js";

/** Hears of the process from its sandbox, before anybody else can, and for as long as it lives. */
export class ProcessStart implements ProcessListener {
  /** Settles when the process has ended; rejects if the sandbox was lost. */
  readonly exited: Promise<ProcessExit>;
  /** Settles, without an error, when nothing more will be heard of it. */
  readonly gone: Promise<void>;
  readonly #started: Promise<number>;
  readonly #errorOf: (failure: LaunchFailure) => Error;
  #resolveStarted!: (pid: number) => void;
  #rejectStarted!: (error: unknown) => void;
  #resolveExited!: (exit: ProcessExit) => void;
  #rejectExited!: (error: unknown) => void;
  #resolveGone!: () => void;

  constructor(errorOf: (failure: LaunchFailure) => Error) {
    this.#errorOf = errorOf;
    this.#started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    this.exited = new Promise((resolve, reject) => {
      this.#resolveExited = resolve;
      this.#rejectExited = reject;
    });
    this.gone = new Promise((resolve) => (this.#resolveGone = resolve));
    // either may come to nothing without anybody waiting for it
    this.#started.catch(() => undefined);
    this.exited.catch(() => undefined);
  }

  onStarted(pid: number): void {
    this.#resolveStarted(pid);
  }

  onFailed(failure: LaunchFailure): void {
    try {
      this.#rejectStarted(this.#errorOf(failure));
    } catch (error) {
      // what names failures may have to be read first: nobody is to wait for a program that is not there
      this.#rejectStarted(error);
    }
    this.#resolveGone();
  }

  onExited(exit: ProcessExit): void {
    this.#resolveExited(exit);
    this.#resolveGone();
  }

  onLost(error: Error): void {
    this.#rejectStarted(error);
    this.#rejectExited(error);
    this.#resolveGone();
  }

  /**
   * Waits until the program is running. A launch that fails or is cancelled leaves nothing behind.
   *
   * @param abandon ends what there is of a launch that failed
   * @param ended settles when nothing of it is left
   * @returns its pid as the sandbox sees it
   */
  async wait(abandon: () => void, ended: Promise<void>, cancellable: Cancellable | null): Promise<number> {
    const forget = whenCancelled(cancellable, () => this.#rejectStarted(cancelledError()));
    try {
      return await this.#started;
    } catch (error) {
      abandon();
      await ended;
      throw error;
    } finally {
      forget();
    }
  }
}
