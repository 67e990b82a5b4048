import type { ResourceUsage } from "../init/decode.js";
import type { Limit } from "../permissions/permission-set.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import { ifSignaled, isSuccess, termSignal } from "../subprocess/wait-status.js";
import { CPU_TIME_GRACE } from "./child-limits.js";
import { DEFAULT_TMPFS_SIZE } from "./root-filesystem.js";

/** How a child ended, as far as limits are concerned. */
export interface LimitedEnd {
  readonly status: WaitStatus;
  readonly timedOut: boolean;
  /** The limit of the whole sandbox that it was killed for. */
  readonly exceeded: "memory" | "processes" | null;
  /** Whether a private directory had no room left when it ended. */
  readonly isTmpfsFull: boolean;
  /** Null if the sandbox was lost, and the figures with it. */
  readonly usage: ResourceUsage | null;
}

/**
 * The error for a child that a limit ended: LIMIT_EXCEEDED, or TIMED_OUT for the timeout. Null if none did. A child that
 * succeeded has kept within its limits, whatever else happened.
 *
 * @param limits with the timeout that counts among them
 */
export function limitError(end: LimitedEnd, limits: ReadonlyMap<Limit, number>): GLibError | null {
  if (isSuccess(end.status)) return null;
  if (end.timedOut && end.exceeded === null) return timedOutError(limits.get("timeout") ?? 0, end.usage);
  const limit = exceededLimit(end, limits);
  if (limit === null) return null;
  const value = limits.get(limit) ?? (limit === "tmpfs" ? DEFAULT_TMPFS_SIZE : 0);
  return sandboxError("LIMIT_EXCEEDED", messages[limit](value), { limit, usage: end.usage });
}

/** The error for a child that its timeout ended. */
export function timedOutError(milliseconds: number, usage: ResourceUsage | null): GLibError {
  const message = `The child did not end within ${milliseconds} ms and was killed`;
  return sandboxError("TIMED_OUT", message, { limit: "timeout", usage });
}

/** Linux's numbers, the same on every architecture that we run on. */
const Signal = { KILL: 9, XCPU: 24, XFSZ: 25 } as const;

type ReportedLimit = "memory" | "processes" | "cpu-time" | "file-size" | "tmpfs";

const messages: Readonly<Record<ReportedLimit, (value: number) => string>> = {
  memory: (bytes) => `The sandbox took more memory than its limit “memory” of ${bytes} bytes, and was killed`,
  processes: (count) => `There were more processes and threads in the sandbox than its limit “processes” of ${count}, and all were killed`,
  "cpu-time": (seconds) => `The child used up its limit “cpu-time” of ${seconds} s, and was killed`,
  "file-size": (bytes) => `The child wrote a file beyond its limit “file-size” of ${bytes} bytes, and was killed`,
  tmpfs: (bytes) => `The child failed when a private directory was full, at its limit “tmpfs” of ${bytes} bytes`,
};

function exceededLimit(end: LimitedEnd, limits: ReadonlyMap<Limit, number>): ReportedLimit | null {
  if (end.exceeded !== null) return end.exceeded;
  const signal = ifSignaled(end.status) ? termSignal(end.status) : null;
  if (signal === Signal.XFSZ && limits.has("file-size")) return "file-size";
  if (isCpuTimeUsedUp(signal, end.usage, limits.get("cpu-time"))) return "cpu-time";
  return end.isTmpfsFull && signal !== Signal.KILL ? "tmpfs" : null;
}

/** Who catches or ignores SIGXCPU is killed a little later; its usage shows that it was for this. */
function isCpuTimeUsedUp(signal: number | null, usage: ResourceUsage | null, seconds: number | undefined): boolean {
  if (seconds === undefined) return false;
  if (signal === Signal.XCPU) return true;
  if (signal !== Signal.KILL || usage === null) return false;
  // the kernel counts ticks of its clock for the limit, and does not quite come to the same
  return usage.userMicroseconds + usage.systemMicroseconds >= (seconds + CPU_TIME_GRACE / 2) * 1e6;
}
