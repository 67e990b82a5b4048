import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import System from "system";
import type GObject from "gi://GObject?version=2.0";
import type { GioCancellable } from "../../node/cancellable.js";
import { GLibError } from "../../subprocess/glib-error.js";
import { attachSource, runUntil, serve } from "../event-loop.js";
import { runJobs } from "../jobs.js";
import { cancellableOf } from "./cancellable.js";
import { applicationError } from "./glib-error.js";

/** Starts what is waited for. */
export type Start<T> = (cancellable: GioCancellable | null) => PromiseLike<T>;

/** `GAsyncReadyCallback` */
export type Callback<Source> = (source: Source, result: Gio.AsyncResult) => void;

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Does something to its end, whatever the application's main loop does meanwhile.
 *
 * @throws GLib.Error for what went wrong; TypeError for what no caller may do
 */
export function block<T>(cancellable: Gio.Cancellable | null, start: Start<T>): T {
  let outcome: Outcome<T> | null = null;
  runUntil(
    () => outcome !== null,
    () => {
      start(cancellableOf(cancellable)).then(
        (value) => (outcome = { value }),
        (error: unknown) => (outcome = { error }),
      );
    },
  );
  collectSometimes();
  return valueOf<T>(outcome);
}

/**
 * GJS collects garbage late, and when its main loop has nothing else to do, which never comes in a program that blocks
 * again and again. What a launch leaves is some 80 KiB.
 */
function collectSometimes(): void {
  operations++;
  if (operations < OPERATIONS_TO_COLLECT) return;
  operations = 0;
  System.gc();
}

let operations = 0;

const OPERATIONS_TO_COLLECT = 100;

/**
 * A task with what came of its operation, for `finish()`: as a property, which has GJS keep its object for the task as long as
 * that lives.
 */
interface OperationTask extends Gio.AsyncResult {
  sandboxOutcome?: Outcome<unknown>;
}

/**
 * Starts something, as a method `…_async` of GIO's does: the callback is called from the main context that is the
 * thread's default at the time of the call, never before this has returned.
 *
 * @throws TypeError for what no caller may do
 */
function begin<Source extends GObject.Object, T>(
  source: Source,
  cancellable: Gio.Cancellable | null,
  callback: Callback<Source> | null,
  start: Start<T>,
): void {
  const work = start(cancellableOf(cancellable));
  throwIfRefused(work);
  const task = Gio.Task.new(source, cancellable, (_source, result) => callback?.(source, result));
  const context = GLib.MainContext.get_thread_default();
  const stop = context === null ? null : serve(context);
  const taskContext = context ?? GLib.MainContext.default();
  const settle = (outcome: Outcome<T>): void => {
    (task as OperationTask).sandboxOutcome = outcome;
    stop?.();
    // From the loop, not from one of our own jobs: who is called back may block. Whether it failed, our own finish()
    // sees; the task sees whether it was cancelled.
    attachSource(GLib.timeout_source_new(0), taskContext, () => {
      collectSometimes();
      task.return_boolean(true);
      return GLib.SOURCE_REMOVE;
    });
  };
  work.then(
    (value) => settle({ value }),
    (error: unknown) => settle({ error }),
  );
  runJobs();
}

/** What a programmer's error makes of an operation is known at once. */
function throwIfRefused(work: PromiseLike<unknown>): void {
  let refusal: unknown = null;
  work.then(undefined, (error: unknown) => (refusal = error));
  runJobs();
  if (refusal instanceof TypeError || refusal instanceof RangeError) throw refusal;
}

/**
 * What came of an operation that `begin()` started for the same source.
 *
 * @param discard gets rid of what was made, if the operation was cancelled when that was there already
 * @throws GLib.Error
 */
export function finish<T>(source: GObject.Object, result: Gio.AsyncResult, discard?: (value: T) => void): T {
  const outcome = (result as OperationTask).sandboxOutcome as Outcome<T> | undefined;
  if (outcome === undefined || !(result instanceof Gio.Task) || !Gio.Task.is_valid(result, source)) {
    throw new TypeError("Expected the result of an operation of this object.");
  }
  try {
    // throws if it was cancelled in the meantime, as all of GIO's operations do
    result.propagate_boolean();
  } catch (error) {
    if ("value" in outcome) discard?.(outcome.value);
    throw error;
  }
  return valueOf(outcome);
}

/**
 * Starts something as `begin()` does, or, if the callback was left out, gives the language's promise for it.
 *
 * @param finishWith makes of the result what `Gio._promisify()` would
 */
export function beginOrPromise<Source extends GObject.Object, T, P>(
  source: Source,
  cancellable: Gio.Cancellable | null,
  callback: Callback<Source> | null | undefined,
  start: Start<T>,
  finishWith: (result: Gio.AsyncResult) => P,
): PromiseLike<P> | undefined {
  if (callback !== undefined) {
    begin(source, cancellable, callback, start);
    return undefined;
  }
  // at once, as any function of GJS's: Gio._promisify() does not look at what is given back
  cancellableOf(cancellable);
  return new globalThis.Promise<P>((resolve, reject) => {
    const settle = (_source: Source, result: Gio.AsyncResult): void => {
      try {
        resolve(finishWith(result));
      } catch (error) {
        // a GLib.Error is none of the language's
        const reason = error as Error;
        reject(reason);
      }
    };
    begin(source, cancellable, settle, start);
  });
}

function valueOf<T>(outcome: Outcome<T> | null): T {
  if (outcome === null) throw new TypeError("There is no outcome.");
  if ("value" in outcome) return outcome.value;
  throw applicationError(outcome.error) as Error;
}

/** Calls what does not wait. @throws GLib.Error in the place of our own */
export function call<T>(function_: () => T): T {
  try {
    return function_();
  } catch (error) {
    throw error instanceof GLibError ? (applicationError(error) as Error) : error;
  }
}
