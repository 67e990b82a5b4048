import type { Errno } from "../../subprocess/errno.js";
import { errnoMessage, errnoNumber } from "../../subprocess/errno.js";
import { errnoOfGLib } from "../glib-errno.js";

/** The error that Node would throw. */
export function fileError(errno: Errno, syscall: string, path?: string): NodeJS.ErrnoException {
  const where = path === undefined ? "" : ` '${path}'`;
  const error = new Error(`${errno}: ${errnoMessage(errno).toLowerCase()}, ${syscall}${where}`);
  return Object.assign(error, { errno: -errnoNumber(errno), code: errno, syscall }, path === undefined ? {} : { path });
}

/** What `act` returns, with GLib's error made Node's. */
export function withFileError<T>(syscall: string, path: string | undefined, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(errnoOfGLib(error), syscall, path);
  }
}

/** The error number that one of these errors, or of Node's, carries. */
export function hasCode(error: unknown, ...codes: readonly Errno[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(error.code as Errno);
}
