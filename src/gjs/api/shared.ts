/*
 * A program may come by this module twice, from two places. GObject knows only one class of each name, so that the first
 * copy's counts for all.
 */

const KEY = Symbol.for("gio-sandbox.classes");

/** What the first copy of this module made under this name. */
export function shared<T>(name: string, make: () => T): T {
  const holder = globalThis as unknown as Record<typeof KEY, Map<string, unknown> | undefined>;
  const all = (holder[KEY] ??= new Map<string, unknown>());
  if (!all.has(name)) all.set(name, make());
  return all.get(name) as T;
}
