/** What of the results of two runs is not the same, and which of that is allowed. */
import { isDeepStrictEqual } from "node:util";
import type { Result } from "./scenario-runs.js";

/** Something in which a scenario differs with GIO's classes and with ours. */
export interface Difference {
  readonly field: string;
  readonly gio: unknown;
  readonly ours: unknown;
}

/** What differs for one reason: by the scenarios' names, what each of their fields is with our classes. */
export interface AllowedDifference {
  readonly reason: string;
  /** The first version of GLib without this difference. */
  readonly before?: readonly [major: number, minor: number];
  readonly ours: Readonly<Record<string, Result>>;
}

/** What stands for a field that one result does not have. */
export const ABSENT = "(absent)";

export function differences(gio: Result, ours: Result): Difference[] {
  const fields = new Set([...Object.keys(gio), ...Object.keys(ours)]);
  return [...fields]
    .map((field) => ({
      field,
      gio: field in gio ? gio[field] : ABSENT,
      ours: field in ours ? ours[field] : ABSENT,
    }))
    .filter(({ gio, ours }) => !isDeepStrictEqual(gio, ours));
}

/** What may differ in a scenario with this version of GLib, and what our classes give then. */
export function allowedIn(
  scenario: string,
  allowed: readonly AllowedDifference[],
  [major, minor]: readonly [major: number, minor: number],
): Result {
  const applicable = allowed.filter(
    ({ before }) => before === undefined || major < before[0] || (major === before[0] && minor < before[1]),
  );
  return Object.fromEntries(applicable.flatMap(({ ours }) => Object.entries(ours[scenario] ?? {})));
}

/** One line for each difference that is not allowed, and for each allowed one that is not there. */
export function complaints(found: readonly Difference[], allowed: Result): string[] {
  const wrong = found
    .filter(({ field, ours }) => !(field in allowed) || !isDeepStrictEqual(ours, allowed[field]))
    .map(({ field, gio, ours }) => {
      const also = field in allowed ? `, or ${JSON.stringify(allowed[field])} as it is allowed` : "";
      return `${field}: expected ${JSON.stringify(gio)} as GIO${also}, but got ${JSON.stringify(ours)}`;
    });
  const gone = Object.keys(allowed)
    .filter((name) => !found.some(({ field }) => field === name))
    .map((name) => `${name}: is allowed to differ from GIO, but does not`);
  return [...wrong, ...gone];
}
