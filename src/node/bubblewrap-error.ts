import type { BubblewrapEnd } from "../plan/bubblewrap-failure.js";
import { bubblewrapFailure } from "../plan/bubblewrap-failure.js";
import { bubblewrapUnavailable } from "../plan/bubblewrap-unavailable.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { ErrorDomain, SandboxError } from "../subprocess/glib-error.js";
import { confinement } from "./confinement.js";

/** As `bubblewrapFailure()`; a refusal says what the place where this program runs has to do with it. */
export function bubblewrapError(end: BubblewrapEnd): GLibError {
  const error = bubblewrapFailure(end);
  return isRefusal(error) ? bubblewrapUnavailable(confinement(), error) : error;
}

/** Whether no sandbox can be made here, whatever is in it. */
export function isRefusal(error: GLibError): boolean {
  return error.matches(ErrorDomain.SANDBOX, SandboxError.NOT_AVAILABLE);
}
