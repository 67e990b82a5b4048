import { ErrorDomain, GLibError, SandboxError, SpawnError } from "../subprocess/glib-error.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import { exitStatus, ifExited, termSignal } from "../subprocess/wait-status.js";

/** Exit codes of our own, as env(1) and timeout(1) have them. */
export const ExitCode = {
  SUCCESS: 0,
  TIMED_OUT: 124,
  SANDBOX_FAILED: 125,
  CANNOT_EXECUTE: 126,
  NOT_FOUND: 127,
} as const;

/** A shell's exit code for a command that ended so. */
export function exitCodeOfStatus(status: WaitStatus): number {
  return ifExited(status) ? exitStatus(status) : 128 + termSignal(status);
}

/** The exit code for a command that never ran, or whose time was over. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.TIMED_OUT)) return ExitCode.TIMED_OUT;
  if (!(error instanceof GLibError) || error.domain !== ErrorDomain.SPAWN) return ExitCode.SANDBOX_FAILED;
  switch (error.code) {
    case SpawnError.NOENT:
      return ExitCode.NOT_FOUND;
    case SpawnError.FORK:
    case SpawnError.FAILED:
      return ExitCode.SANDBOX_FAILED;
    default:
      return ExitCode.CANNOT_EXECUTE;
  }
}
