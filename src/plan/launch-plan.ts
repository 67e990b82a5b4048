/**
 * A launch as data: what a shell has to do, and nothing left to decide.
 */

/** What one descriptor of a helper program (bwrap) is to be. Its place in the list is its number. */
export type PlannedDescriptor =
  | { readonly kind: "null" }
  /** Where the backend's own messages go: a file that is read if the launch fails. */
  | { readonly kind: "diagnostics" }
  /** The far end of the control socket. */
  | { readonly kind: "control" }
  /** gio-sandbox-init itself, opened for execution. */
  | { readonly kind: "init" }
  /** A file with these bytes, read from its start. */
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** The O_PATH descriptor of a granted path: an index into the shell's list of them. */
  | { readonly kind: "granted"; readonly index: number }
  /** A descriptor meant for the child: an index into the shell's list of them. */
  | { readonly kind: "child"; readonly index: number };

/** A launch through bubblewrap. */
export interface BubblewrapPlan {
  /** The path of bwrap. */
  readonly program: string;
  /** bwrap's arguments, without its own name. Nothing of the child's is in them: see /proc/PID/cmdline. */
  readonly argv: readonly string[];
  readonly descriptors: readonly PlannedDescriptor[];
  /**
   * What is written to the control socket first: made when it is asked for, while bwrap does its part.
   *
   * @throws GLibError `gio-sandbox-error-quark` LIMIT_EXCEEDED for more than init takes
   */
  readonly frames: () => Uint8Array;
}

/** The launcher's number for the process of a single-use sandbox. */
export const SINGLE_PROCESS = 1;

/** Bytes one after another. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
