import type { PreparedLaunch } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled } from "./cancellable.js";
import type { StartedCarrier } from "./carrier.js";

/**
 * Starts what was prepared, or undoes it.
 *
 * @throws GLibError `g-io-error-quark` CANCELLED, and as of `PreparedLaunch.start`
 */
export function startCarrier(launch: PreparedLaunch, cancellable: Cancellable | null): StartedCarrier {
  try {
    throwIfCancelled(cancellable);
    return launch.start();
  } catch (error) {
    launch.discard?.();
    throw error;
  }
}

/**
 * Tells init what it is to be told first, before anything else is done for it.
 *
 * @returns whether that could be made: else `greet()` says why not
 */
export function greetAtOnce({ control }: StartedCarrier, launch: PreparedLaunch): boolean {
  try {
    control.writer.write(launch.frames(), launch.descriptors);
    return true;
  } catch {
    return false;
  }
}
