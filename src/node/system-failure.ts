import type { Errno } from "../subprocess/errno.js";
import { errnoByName } from "../subprocess/errno.js";

/** The errno of an error that Node made of a failed system call: EIO for one that names none. */
export function errnoOf(error: unknown): Errno {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return errnoByName(code) ?? "EIO";
}
