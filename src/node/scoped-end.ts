import type { LimitScope } from "./limit-scope.js";
import type { End } from "./running-process.js";
import { lostEnd } from "./running-process.js";

const SIGKILL = 9;

/** How a process ended whose sandbox may be in a scope: what the kernel killed for its memory is named so. */
export async function scopedEnd(exited: Promise<ProcessEnd>, scope: LimitScope | null): Promise<ProcessEnd> {
  if (scope === null) return exited;
  try {
    const end = await exited;
    const isExplained = end.exceeded !== null || end.timedOut || end.status !== SIGKILL;
    return isExplained || !(await scope.wasOutOfMemory()) ? end : { ...end, exceeded: "memory" };
  } catch (error) {
    if (await scope.wasOutOfMemory()) return { ...lostEnd, exceeded: "memory" };
    throw error;
  }
}

/** The end of a process that has one. */
export type ProcessEnd = Omit<End, "error">;
