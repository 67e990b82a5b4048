import { ErrorDomain, GLibError, SpawnError } from "./glib-error.js";

/** A raw wait status, as waitpid(2) gives it. */
export type WaitStatus = number;

export function ifExited(status: WaitStatus): boolean {
  return (status & 0x7f) === 0;
}

export function ifSignaled(status: WaitStatus): boolean {
  const low = status & 0x7f;
  return low !== 0 && low !== 0x7f;
}

/** WEXITSTATUS: of meaning only for a process that exited. */
export function exitStatus(status: WaitStatus): number {
  return (status >> 8) & 0xff;
}

/** WTERMSIG: of meaning only for a process that a signal ended. */
export function termSignal(status: WaitStatus): number {
  return status & 0x7f;
}

export function isSuccess(status: WaitStatus): boolean {
  return status === 0;
}

/** The error that `g_spawn_check_wait_status()` has for this status; null for success. */
export function waitStatusError(status: WaitStatus): GLibError | null {
  if (isSuccess(status)) return null;
  if (ifExited(status)) {
    const code = exitStatus(status);
    return new GLibError(ErrorDomain.SPAWN_EXIT, code, `Child process exited with code ${code}`);
  }
  if (ifSignaled(status)) return abnormal(`Child process killed by signal ${termSignal(status)}`);
  return abnormal("Child process exited abnormally");
}

function abnormal(message: string): GLibError {
  return new GLibError(ErrorDomain.SPAWN, SpawnError.FAILED, message);
}
