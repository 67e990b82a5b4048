import { printable } from "../subprocess/printable.js";
import type { Limit } from "./permission-set.js";
import { invalidPermission } from "./vocabulary.js";

type Kind = "size" | "seconds" | "milliseconds" | "count";

interface Rule {
  readonly kind: Kind;
  readonly minimum: 0 | 1;
}

const rules: Readonly<Record<Limit, Rule>> = {
  memory: { kind: "size", minimum: 1 },
  "address-space": { kind: "size", minimum: 1 },
  "cpu-time": { kind: "seconds", minimum: 1 },
  "file-size": { kind: "size", minimum: 0 },
  "open-files": { kind: "count", minimum: 1 },
  processes: { kind: "count", minimum: 1 },
  core: { kind: "size", minimum: 0 },
  tmpfs: { kind: "size", minimum: 1 },
  timeout: { kind: "milliseconds", minimum: 1 },
};

/** Binary, as in systemd's and ulimit's. The largest first, for the writer. */
const sizes: readonly Unit[] = [
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
];

/** As in timeout(1), and milliseconds. */
const milliseconds: readonly Unit[] = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

const seconds: readonly Unit[] = [
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];

const unitsOf: Readonly<Record<Kind, readonly Unit[]>> = { size: sizes, seconds, milliseconds, count: [] };

/** What a number without a suffix counts. */
const plainFactor: Readonly<Record<Kind, number>> = { size: 1, seconds: 1, milliseconds: 1000, count: 1 };

type Unit = readonly [suffix: string, factor: number];

/** @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a number that this limit cannot be */
export function checkLimit(limit: Limit, value: number): void {
  const { minimum } = rules[limit];
  if (Number.isSafeInteger(value) && value >= minimum) return;
  throw invalidPermission(`Expected a whole number of at least ${minimum} as the limit “${limit}”, but got ${value}`);
}

/**
 * A limit as people write it: `512M` (K, M, G, T are powers of 1024), `10s` (h, m, s, and ms for the timeout; seconds
 * without a unit), `64`.
 *
 * @returns bytes, seconds of CPU time, milliseconds of `timeout`, or a number of things
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function parseLimit(limit: Limit, text: string): number {
  const { kind } = rules[limit];
  const match = /^(?<digits>\d{1,16})(?<suffix>[A-Za-z]*)$/.exec(text);
  const factor = match === null ? undefined : factorOf(kind, match.groups?.["suffix"] ?? "");
  if (factor === undefined) {
    throw invalidPermission(`Expected ${examples[kind]} as the limit “${limit}”, but got “${printable(text, 80)}”`);
  }
  const value = Number(match?.groups?.["digits"]) * factor;
  checkLimit(limit, value);
  return value;
}

/** The shortest form that `parseLimit()` reads as the same. */
export function formatLimit(limit: Limit, value: number): string {
  const unit = value === 0 ? undefined : unitsOf[rules[limit].kind].find(([, factor]) => value % factor === 0);
  return unit === undefined ? String(value) : `${value / unit[1]}${unit[0]}`;
}

const examples: Readonly<Record<Kind, string>> = {
  size: "a size such as 512M",
  seconds: "a time in whole seconds such as 10s",
  milliseconds: "a time such as 30s",
  count: "a number",
};

function factorOf(kind: Kind, suffix: string): number | undefined {
  if (suffix === "") return plainFactor[kind];
  return unitsOf[kind].find(([name]) => name === suffix)?.[1];
}
