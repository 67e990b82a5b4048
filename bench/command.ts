/** Programs that are run to their end. */
import type { SpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import type { Contender } from "./measure.js";
import { timed } from "./measure.js";

/** From the spawn of a command to its exit, which must be with status 0. */
export function command(name: string, argv: readonly string[], options: SpawnOptions = {}): Contender {
  return { name, run: timed(() => runCommand(argv, options)) };
}

export function runCommand([program = "", ...args]: readonly string[], options: SpawnOptions = {}): Promise<void> {
  return ended(spawn(program, args, { stdio: "ignore", ...options }));
}

/** Waits until a child has exited with status 0. */
export function ended(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${child.spawnfile} ended with ${signal ?? code ?? "nothing"}`));
    });
  });
}
