import { limitError } from "../plan/limit-errors.js";
import { waitStatusError } from "../subprocess/wait-status.js";
import type { End, RunningProcess } from "./running-process.js";

/** @throws GLibError `gio-sandbox-error-quark` SETUP_FAILED if the sandbox was lost */
export function throwIfLost({ error }: End): void {
  if (error !== null) throw error;
}

/** @throws GLibError as `throwIfLost()`; TIMED_OUT, LIMIT_EXCEEDED if a limit has ended the process */
export function throwIfLimited(end: End, { limits }: RunningProcess): void {
  throwIfLost(end);
  const error = limitError(end, limits);
  if (error !== null) throw error;
}

/** @throws GLibError as `waitCheckAsync()` of the API */
export function throwUnlessSuccessful(end: End, process: RunningProcess): void {
  throwIfLimited(end, process);
  const error = waitStatusError(end.status);
  if (error !== null) throw error;
}
