import type { PreparedLaunch } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled } from "./cancellable.js";
import { InitSession } from "./init-session.js";

/**
 * Starts what was prepared, or undoes it.
 *
 * @throws GLibError `g-io-error-quark` CANCELLED, and as of `InitSession`
 */
export function startSession(launch: PreparedLaunch, cancellable: Cancellable | null): InitSession {
  try {
    throwIfCancelled(cancellable);
    return new InitSession(launch.start);
  } catch (error) {
    launch.discard?.();
    throw error;
  }
}
