import type { ResourceUsage } from "../init/decode.js";
import type { Limit } from "../permissions/permission-set.js";
import { cancelledError } from "../subprocess/glib-error.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import type { Cancellable } from "./cancellable.js";
import { isCancelled, throwIfCancelled, whenCancelled } from "./cancellable.js";
import type { PipeEnd } from "./pipe-ends.js";
import type { ProcessScope } from "./process-scope.js";

const SIGKILL = 9;

/** Milliseconds that a process has to end after SIGKILL. */
const KILL_PATIENCE = 5000;

/** The parent's ends of the pipes to a child; null where there is none. */
export interface Pipes {
  readonly stdin: PipeEnd | null;
  readonly stdout: PipeEnd | null;
  readonly stderr: PipeEnd | null;
}

/** How a process ended. */
export interface End {
  readonly status: WaitStatus;
  readonly timedOut: boolean;
  /** The limit of the whole sandbox that it was killed for. */
  readonly exceeded: "memory" | "processes" | null;
  /** Whether a private directory of the sandbox had no room left when it ended. */
  readonly isTmpfsFull: boolean;
  /** Null if the sandbox was lost, and the figures with it. */
  readonly usage: ResourceUsage | null;
  /** Why the sandbox was lost; null if the process ended as processes do. */
  readonly error: Error | null;
}

/** A process in a sandbox, from its start to its end. */
export class RunningProcess {
  readonly pipes: Pipes;
  /** What it was given, with the timeout that counts among them. */
  readonly limits: ReadonlyMap<Limit, number>;
  readonly #scope: ProcessScope;
  #end: End | null = null;
  #hostPid: string | null = null;
  #killTimer: NodeJS.Timeout | null = null;
  /** In the order in which they came, so that they are told in that order. */
  #waiting: (() => void)[] = [];

  constructor(
    scope: ProcessScope,
    { exited }: { readonly exited: Promise<Omit<End, "error">> },
    limits: ReadonlyMap<Limit, number>,
    pipes: Pipes,
  ) {
    this.pipes = pipes;
    this.limits = limits;
    this.#scope = scope;
    exited.then(
      (end) => this.#onEnd({ ...end, error: null }),
      (error: unknown) => this.#onEnd({ ...lostEnd, error: asError(error) }),
    );
  }

  /** How it ended, or null while it runs. */
  get end(): End | null {
    return this.#end;
  }

  /** Its pid on the host, in decimal; null once it has ended, or where /proc does not tell. */
  get identifier(): string | null {
    if (this.#end !== null) return null;
    this.#hostPid ??= this.#scope.findPid();
    return this.#hostPid;
  }

  /**
   * Waits for the end. Cancelling leaves the process alone.
   *
   * As a GTask does, it looks at the cancellable at the start and again when it is told of the end, after those that have
   * waited longer.
   */
  wait(cancellable: Cancellable | null): Promise<End> {
    return new Promise((resolve, reject) => {
      throwIfCancelled(cancellable);
      const forget = whenCancelled(cancellable, () => reject(cancelledError()));
      this.#whenEnded((end) => {
        forget();
        if (isCancelled(cancellable)) reject(cancelledError());
        else resolve(end);
      });
    });
  }

  signal(signal: number): void {
    if (this.#end === null) this.#scope.signal(signal);
  }

  /**
   * Kills the process, and what it left running. An init that does not do so, since what runs beside it has stopped it, is
   * no reason to wait for ever: its sandbox is closed then.
   */
  kill(): void {
    this.#scope.kill();
    if (this.#end !== null) return;
    this.#killTimer ??= setTimeout(() => void this.#scope.close(), KILL_PATIENCE).unref();
  }

  /** Kills the process and what it left running, closes the pipes, and waits until nothing is left. */
  async dispose(): Promise<void> {
    this.kill();
    this.pipes.stdin?.destroy();
    this.pipes.stdout?.destroy();
    this.pipes.stderr?.destroy();
    await this.wait(null);
    await this.#scope.close();
  }

  #whenEnded(tell: (end: End) => void): void {
    if (this.#end === null) {
      this.#waiting.push(() => this.#whenEnded(tell));
      return;
    }
    const end = this.#end;
    // A turn of the loop for each, so that what the first one does (to cancel another, say) counts for the next.
    setImmediate(() => tell(end));
  }

  #onEnd(end: End): void {
    this.#end = end;
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    // What a process leaves running in its sandbox goes on, but not longer than the program.
    this.#scope.release();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell();
  }
}

/** The kernel kills what is in a pid namespace whose first process is gone. */
export const lostEnd = { status: SIGKILL, timedOut: false, exceeded: null, isTmpfsFull: false, usage: null } as const;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
