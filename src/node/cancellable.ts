import { cancelledError } from "../subprocess/glib-error.js";

/** node-gtk's `Gio.Cancellable`, as far as it is used here. */
export interface GioCancellable {
  isCancelled(): boolean;
  /** `g_cancellable_connect()`: calls back at once, and gives 0, if it is cancelled already. */
  connect(callback: () => void): number | bigint;
  /** `g_cancellable_disconnect()` */
  disconnect(id: number | bigint): void;
}

/** What cancels an operation: an `AbortSignal`, node-gtk's `Gio.Cancellable`, or nothing. */
export type Cancellable = AbortSignal | GioCancellable;

/** @throws TypeError for what cannot be cancelled */
export function isCancelled(cancellable: Cancellable | null): boolean {
  if (cancellable === null) return false;
  checkCancellable(cancellable);
  return "aborted" in cancellable ? cancellable.aborted : cancellable.isCancelled();
}

/** @throws GLibError `g-io-error-quark` CANCELLED */
export function throwIfCancelled(cancellable: Cancellable | null): void {
  if (isCancelled(cancellable)) throw cancelledError();
}

/**
 * Calls back when it is cancelled, once: at once if it is already.
 *
 * @returns what ends that
 */
export function whenCancelled(cancellable: Cancellable | null, callback: () => void): () => void {
  if (cancellable === null) return () => undefined;
  if ("aborted" in cancellable) {
    if (cancellable.aborted) callback();
    else cancellable.addEventListener("abort", callback, { once: true });
    return () => cancellable.removeEventListener("abort", callback);
  }
  // One that is reset calls again at its next end.
  let isOver = false;
  const id = cancellable.connect(() => {
    if (isOver) return;
    isOver = true;
    callback();
  });
  return () => {
    isOver = true;
    // g_cancellable_disconnect() would wait for itself if it were called from the callback
    if (!cancellable.isCancelled()) cancellable.disconnect(id);
  };
}

/** What is no cancellable could not be told from one that never ends. */
function checkCancellable(cancellable: object): void {
  if (Object(cancellable) === cancellable && "aborted" in cancellable) return;
  const methods = ["isCancelled", "connect", "disconnect"] as const;
  if (!methods.every((name) => typeof (cancellable as Partial<GioCancellable>)[name] === "function")) {
    throw new TypeError(`Expected an AbortSignal, a Gio.Cancellable or null, but got ${typeof cancellable}.`);
  }
}
