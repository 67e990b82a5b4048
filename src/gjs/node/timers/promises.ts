import { cancelledError } from "../../../subprocess/glib-error.js";
import type { AbortSignal } from "../../abort.js";
import { clearTimeout, setTimeout as startTimer } from "../../timers.js";

/* Stands for node:timers/promises. */

interface Options {
  readonly signal?: AbortSignal;
}

/** Waits, and rejects if that is given up. */
export function setTimeout<T>(milliseconds: number, value: T, { signal }: Options = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(cancelledError());
      return;
    }
    const abort = (): void => {
      clearTimeout(timer);
      reject(cancelledError());
    };
    const timer = startTimer(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
