import { closeSync } from "node:fs";
import { descriptorError, sandboxError } from "../subprocess/glib-error.js";
import type { SystemCalls } from "./system-calls.js";
import { SystemCallFailure, systemCalls } from "./system-calls.js";

/** Descriptors that are wanted for a while, and closed together. */
export class DescriptorScope {
  readonly #descriptors = new Set<number>();

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
   * A duplicate of a caller's descriptor, so that the caller may close its own.
   *
   * @throws GLibError `g-exec-error-quark` FAILED if it is not open
   */
  duplicate(descriptor: number): number {
    if (!Number.isInteger(descriptor) || descriptor < 0) throw descriptorError("EBADF");
    try {
      return this.own(requiredSystemCalls().duplicate(descriptor));
    } catch (error) {
      throw error instanceof SystemCallFailure ? descriptorError(error.errno) : error;
    }
  }

  /** Both ends of a pipe: to read from, to write to. */
  pipe(): readonly [number, number] {
    const [reading, writing] = requiredSystemCalls().pipe();
    return [this.own(reading), this.own(writing)];
  }

  socketPair(): readonly [number, number] {
    const [ours, theirs] = requiredSystemCalls().socketPair();
    return [this.own(ours), this.own(theirs)];
  }

  memoryFile(label: string): number {
    return this.own(requiredSystemCalls().memoryFile(label));
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor);
    this.#descriptors.clear();
  }
}

/**
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if koffi cannot be loaded
 */
export function requiredSystemCalls(): SystemCalls {
  const calls = systemCalls();
  if (!("missing" in calls)) return calls;
  throw sandboxError(
    "NOT_AVAILABLE",
    `No sandbox is available: ${calls.missing}, and Node cannot make pipes without it. Install koffi.`,
    { cause: calls.cause },
  );
}
