import Gio from "gi://Gio?version=2.0";
import type { GioCancellable } from "../../node/cancellable.js";

/**
 * A cancellable with the names that the code of both shells has for it.
 *
 * @throws TypeError for anything else, what was left out too
 */
export function cancellableOf(cancellable: Gio.Cancellable | null): GioCancellable | null {
  if (cancellable === null) return null;
  if (!(cancellable instanceof Gio.Cancellable)) throw new TypeError(`Expected a Gio.Cancellable or null, but got ${typeof cancellable}.`);
  return {
    isCancelled: () => cancellable.is_cancelled(),
    connect: (callback) => connect.call(cancellable, callback),
    disconnect: (id) => cancellable.disconnect(Number(id)),
  };
}

/** g_cancellable_connect(), which has the name of GObject's. */
const connect = function (this: Gio.Cancellable, callback: () => void): number {
  return (this as unknown as { connect(callback: () => void): number }).connect(callback);
};
