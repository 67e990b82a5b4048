import { closeSync, openSync } from "node:fs";
import { descriptorError, sandboxError } from "../subprocess/glib-error.js";
import { borrow, giveBack, isOpen, namelessFile, plainPipe } from "./plain-descriptors.js";
import type { SystemCalls } from "./system-calls.js";
import { callsAtHand, SystemCallFailure, systemCalls } from "./system-calls.js";

/** Descriptors that are wanted for a while, and closed together. */
export class DescriptorScope {
  readonly #descriptors = new Set<number>();
  readonly #borrowed: number[] = [];

  /** Takes a descriptor over. */
  own(descriptor: number): number {
    this.#descriptors.add(descriptor);
    return descriptor;
  }

  /** Gives a descriptor away: it will not be closed here. */
  release(descriptor: number): number {
    this.#descriptors.delete(descriptor);
    return descriptor;
  }

  /**
   * A duplicate of a launcher's descriptor, so that the launcher may close its own. Without koffi it is the descriptor
   * itself, which `closeUnlessBorrowed()` leaves open as long as this scope wants it.
   *
   * @throws GLibError `g-exec-error-quark` FAILED if it is not open
   */
  duplicate(descriptor: number): number {
    checkNumber(descriptor);
    const calls = callsAtHand();
    return calls === null ? this.#borrow(descriptor) : this.#duplicate(calls, descriptor);
  }

  /**
   * A descriptor of a caller's, to be mounted: without koffi, the same file opened once more, as O_PATH.
   *
   * @throws GLibError `g-exec-error-quark` FAILED if it is not open
   */
  duplicateFile(descriptor: number): number {
    checkNumber(descriptor);
    const calls = systemCalls();
    if (!("missing" in calls)) return this.#duplicate(calls, descriptor);
    checkOpen(descriptor);
    return this.own(openSync(`/proc/self/fd/${descriptor}`, O_PATH));
  }

  /** Both ends of a pipe: to read from, to write to. */
  pipe(): readonly [number, number] {
    const [reading, writing] = requiredSystemCalls().pipe();
    return [this.own(reading), this.own(writing)];
  }

  /** The same, and without koffi too, which takes some milliseconds then. */
  async childPipe(): Promise<readonly [number, number]> {
    if (!("missing" in systemCalls())) return this.pipe();
    const [reading, writing] = await plainPipe();
    return [this.own(reading), this.own(writing)];
  }

  socketPair(): readonly [number, number] {
    const [ours, theirs] = requiredSystemCalls().socketPair();
    return [this.own(ours), this.own(theirs)];
  }

  /** A file that is nowhere to be found. `label` shows in /proc/PID/fd. */
  memoryFile(label: string): number {
    return this.own(callsAtHand()?.memoryFile(label) ?? namelessFile());
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
    this.#descriptors.clear();
    for (const descriptor of this.#borrowed.splice(0)) giveBack(descriptor);
  }

  #duplicate(calls: SystemCalls, descriptor: number): number {
    try {
      return this.own(calls.duplicate(descriptor));
    } catch (error) {
      throw error instanceof SystemCallFailure ? descriptorError(error.errno) : error;
    }
  }

  #borrow(descriptor: number): number {
    checkOpen(descriptor);
    borrow(descriptor);
    this.#borrowed.push(descriptor);
    return descriptor;
  }
}

// include/uapi/asm-generic/fcntl.h: the same on x86_64 and aarch64; node:fs does not have it
export const O_PATH = 0o10000000;

function checkNumber(descriptor: number): void {
  if (!Number.isInteger(descriptor) || descriptor < 0) throw descriptorError("EBADF");
}

function checkOpen(descriptor: number): void {
  if (!isOpen(descriptor)) throw descriptorError("EBADF");
}

/**
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if koffi cannot be loaded
 */
export function requiredSystemCalls(): SystemCalls {
  const calls = systemCalls();
  if (!("missing" in calls)) return calls;
  throw sandboxError(
    "NOT_AVAILABLE",
    `No sandbox is available: ${calls.missing}, and Node cannot make pipes or send descriptors without it. Install koffi.`,
    { cause: calls.cause },
  );
}
