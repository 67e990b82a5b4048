import GLib from "gi://GLib?version=2.0";
import { runJobs, whenJobsWait } from "./jobs.js";
import { descriptorSource } from "./unix.js";

/*
 * What happens, in whichever main context somebody waits for it: in the default one always; in another while an operation
 * that was started there is under way; and in a private one while a call blocks, so that nothing of the application's runs
 * meanwhile, as in GIO.
 */

/** Has something watched in one context. @returns what ends that */
export type Attach = (context: GLib.MainContext) => () => void;

/** A context that is served. */
interface Served {
  readonly context: GLib.MainContext;
  /** How many want that. */
  wanted: number;
  readonly detachers: Map<Attach, () => void>;
}

const watches = new Set<Attach>();
const served = new Map<string, Served>();
const privateContext = new GLib.MainContext();

/**
 * Has something watched for wherever somebody waits, from now on.
 *
 * @returns what ends that
 */
export function addWatch(attach: Attach): () => void {
  watches.add(attach);
  for (const { context, detachers } of served.values()) detachers.set(attach, attach(context));
  return () => {
    if (!watches.delete(attach)) return;
    for (const { detachers } of served.values()) {
      detachers.get(attach)?.();
      detachers.delete(attach);
    }
  };
}

/**
 * Has everything watched for in this context too.
 *
 * @returns what ends that
 */
export function serve(context: GLib.MainContext): () => void {
  const identity = identityOf(context);
  const known = served.get(identity);
  const entry = known ?? { context, wanted: 0, detachers: new Map<Attach, () => void>() };
  entry.wanted++;
  if (known === undefined) {
    served.set(identity, entry);
    for (const attach of watches) entry.detachers.set(attach, attach(context));
  }
  return () => {
    entry.wanted--;
    if (entry.wanted > 0) return;
    served.delete(identity);
    for (const detach of entry.detachers.values()) detach();
  };
}

/** GJS makes a new object each time that it is given the same context; what that is called says which it is. */
function identityOf(context: GLib.MainContext): string {
  const { toString } = context as unknown as { readonly toString: (this: GLib.MainContext) => string };
  return /native@\w+/.exec(toString.call(context))?.[0] ?? "";
}

/**
 * Starts something, and waits for its end in a context of our own, whatever the application's are doing.
 */
export function runUntil(isDone: () => boolean, start: () => void): void {
  within(privateContext, () => {
    const stop = serve(privateContext);
    try {
      start();
      runJobs();
      while (!isDone()) {
        privateContext.iteration(true);
        runJobs();
      }
    } finally {
      stop();
    }
  });
}

/** Waits in the default context, in which everything is watched for, until something there ends the program. */
export function runForever(): never {
  for (const context = GLib.MainContext.default(); ; ) context.iteration(true);
}

/** Starts something that tells of its end in the context of blocking calls: `poll()` looks for it while none blocks. */
export function inPrivate<T>(start: () => T): T {
  return within(privateContext, start);
}

/** Starts something that tells of its end in this context. */
export function within<T>(context: GLib.MainContext, start: () => T): T {
  context.push_thread_default();
  try {
    return start();
  } finally {
    context.pop_thread_default();
  }
}

/** Has told what has come to the context of blocking calls, while none blocks. */
export function look(): void {
  while (privateContext.iteration(false));
}

/**
 * Does so again and again.
 *
 * @returns what ends that
 */
export function poll(milliseconds: number): () => void {
  return addReminder((context) =>
    attachSource(GLib.timeout_source_new(milliseconds), context, () => {
      look();
      return GLib.SOURCE_CONTINUE;
    }),
  );
}

/**
 * Has something watched that makes others `look()`: wherever somebody waits but in blocking calls, which look anyway.
 *
 * @returns what ends that
 */
export function addReminder(attach: Attach): () => void {
  return addWatch((context) => (context === privateContext ? () => undefined : attach(context)));
}

/**
 * Attaches a source.
 *
 * @param callback returns whether it is to be called again
 */
export function attachSource(source: GLib.Source, context: GLib.MainContext, callback: () => boolean): () => void {
  source.set_callback(() => {
    const goesOn = callback();
    runJobs();
    return goesOn;
  });
  source.attach(context);
  return () => source.destroy();
}

/**
 * Watches a descriptor until `stop()`, for as long as which it must stay open.
 *
 * @param callback is called when the condition holds, and not when another context has found so before: what was there to
 *   be read then has been read since, and to read once more would wait
 */
export function watchDescriptor(descriptor: number, condition: GLib.IOCondition, callback: () => void): () => void {
  const stops = new Map<GLib.MainContext, () => void>();
  const attach = (context: GLib.MainContext): void => {
    const stop = attachSource(descriptorSource(descriptor, condition), context, () => {
      for (const [other, stopOther] of [...stops]) {
        if (other === context) continue;
        stopOther();
        attach(other);
      }
      callback();
      return GLib.SOURCE_CONTINUE;
    });
    stops.set(context, stop);
  };
  return addWatch((context) => {
    attach(context);
    return () => {
      stops.get(context)?.();
      stops.delete(context);
    };
  });
}

/** Calls back once, `milliseconds` from now. */
export function startTimer(milliseconds: number, callback: () => void): () => void {
  const due = GLib.get_monotonic_time() + milliseconds * 1000;
  const stop = addWatch((context) => {
    const left = Math.max(0, Math.ceil((due - GLib.get_monotonic_time()) / 1000));
    return attachSource(GLib.timeout_source_new(Math.min(left, MAX_TIMEOUT)), context, () => {
      stop();
      callback();
      return GLib.SOURCE_REMOVE;
    });
  });
  return stop;
}

/** g_timeout_source_new() takes a guint. */
const MAX_TIMEOUT = 0x7fffffff;

let stopWaking: (() => void) | null = null;

/** Jobs that nobody does at the moment are done in the loop's next turn. */
function wake(): void {
  stopWaking ??= addWatch((context) => {
    const source = GLib.idle_source_new();
    source.set_priority(GLib.PRIORITY_DEFAULT);
    return attachSource(source, context, () => {
      stopWaking?.();
      stopWaking = null;
      return GLib.SOURCE_REMOVE;
    });
  });
}

whenJobsWait(wake);
serve(GLib.MainContext.default());
