import { chooseBackend } from "../plan/choose-backend.js";
import { checkRequired } from "../plan/guarantees.js";
import { shortfalls } from "../plan/shortfalls.js";
import { ownFlatpak } from "./confinement.js";
import type { ExplainedLaunch } from "./explain.js";

/**
 * Refuses a launch of which the backend could not keep what is required.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_ENFORCEABLE; NOT_AVAILABLE as `chooseBackend()`
 */
export function checkLaunch({ backend: requested, required }: ExplainedLaunch): void {
  const backend = chooseBackend(requested, ownFlatpak());
  checkRequired(backend, shortfalls[backend], required);
}
