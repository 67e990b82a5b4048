import { SignalScope } from "../init/protocol.js";
import { SINGLE_PROCESS } from "../plan/launch-plan.js";
import { findHostPid } from "./host-processes.js";
import type { InitSession } from "./init-session.js";

const SIGKILL = 9;

/** What a running process can have done to it, by way of the sandbox that it is in. */
export interface ProcessScope {
  /** Its pid on the host, in decimal; null where that cannot be told. */
  findPid(): string | null;
  /** Sends it a signal. One that has ended is no error. */
  signal(signal: number): void;
  /** Kills it and what belongs to it. */
  kill(): void;
  /** It has ended by itself: the program may end too, although what it left running goes on. */
  release(): void;
  /** Ends what belongs to it alone, and settles, without an error, when nothing of that is left. */
  close(): Promise<void>;
}

/** The scope of the only process that a sandbox is for: all of that sandbox. */
export class SingleUseScope implements ProcessScope {
  readonly #session: InitSession;
  readonly #pid: number;

  /** @param pid as the sandbox sees it */
  constructor(session: InitSession, pid: number) {
    this.#session = session;
    this.#pid = pid;
  }

  findPid(): string | null {
    return findHostPid(this.#session.findInits(), this.#pid);
  }

  signal(signal: number): void {
    this.#session.signal(SINGLE_PROCESS, signal, SignalScope.PROCESS);
  }

  kill(): void {
    this.#session.signal(SINGLE_PROCESS, SIGKILL, SignalScope.ALL);
  }

  release(): void {
    this.#session.unref();
  }

  close(): Promise<void> {
    this.#session.close();
    return this.#session.ended;
  }
}
