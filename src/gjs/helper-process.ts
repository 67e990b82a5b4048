import type { HelperDescriptor, HelperEnd, HelperProcess } from "../node/helper-process.js";
import { spawn, spawnByService } from "./node/child_process.js";

/*
 * Namesake of src/node/helper-process.ts: GLib starts the program, and knows of its end.
 */

export type { HelperDescriptor, HelperEnd, HelperProcess } from "../node/helper-process.js";

/** What gio-sandbox-calls leaves open at most. */
const MOST_BY_SERVICE = 4096;

export function startHelperProcess(
  program: string,
  argv: readonly string[],
  descriptors: readonly HelperDescriptor[],
): HelperProcess {
  const stdio = descriptors.map((descriptor) => (typeof descriptor === "number" ? descriptor : "ignore"));
  const child =
    stdio.length > MOST_BY_SERVICE ? spawn(program, argv, { stdio, env: {}, cwd: "/" }) : spawnByService(program, argv, stdio);
  const ended = new Promise<HelperEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => resolve({ exitCode: child.exitCode, signal: child.signalCode }));
  });
  return { pid: child.pid ?? null, ended, unref: () => child.unref(), ref: () => child.ref() };
}
