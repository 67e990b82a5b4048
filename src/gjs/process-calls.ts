/*
 * Namesake of src/node/process-calls.ts: GLib starts processes, by posix_spawn() where it can.
 */

export type { ProcessCalls } from "../node/process-calls.js";

export function processCalls(): null {
  return null;
}
