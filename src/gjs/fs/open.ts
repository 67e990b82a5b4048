import GLib from "gi://GLib?version=2.0";
import { startTimer } from "../event-loop.js";
import { Operation } from "../system-call-protocol.js";
import { constants } from "./constants.js";
import { withFileError } from "./failure.js";
import { pathCall } from "./path-call.js";

/** @returns a close-on-exec descriptor, the caller's to close */
export function openSync(path: string, flags: number = constants.O_RDONLY, mode = 0o666): number {
  const [descriptor = -1] = pathCall("open", path, { operation: Operation.OPEN, a: flags, b: mode, makes: 1 }).descriptors;
  return descriptor;
}

/** Opens at once, as GIO does, so that a named pipe is waited for; calls back in the loop's next turn. */
export function open(
  path: string,
  flags: number,
  mode: number,
  callback: (error: NodeJS.ErrnoException | null, descriptor: number) => void,
): void {
  const { error, descriptor } = attempt(() => openSync(path, flags, mode));
  startTimer(0, () => callback(error, descriptor));
}

function attempt(act: () => number): { readonly error: NodeJS.ErrnoException | null; readonly descriptor: number } {
  try {
    return { error: null, descriptor: act() };
  } catch (error) {
    if (error instanceof Error) return { error, descriptor: -1 };
    throw error;
  }
}

export function closeSync(descriptor: number): void {
  withFileError("close", undefined, () => GLib.close(descriptor));
}
