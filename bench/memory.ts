/** What an open sandbox costs while nothing runs in it. */
import { readFileSync } from "node:fs";
import { SandboxSubprocessLauncher } from "../src/node/index.js";

export interface IdleMemory {
  readonly sandboxes: number;
  /** KiB of a sandbox, bwrap's own processes included: its share of what is shared, as /proc/PID/smaps_rollup says. */
  readonly eachKibibytes: number;
}

/** Opens many sandboxes at once and measures what they take together. */
export async function idleMemory(sandboxes: number): Promise<IdleMemory> {
  const launcher = new SandboxSubprocessLauncher();
  const open = [];
  for (let count = 0; count < sandboxes; count++) open.push(await launcher.openSandboxAsync());
  const total = descendants(process.pid).reduce((sum, pid) => sum + proportionalKibibytes(pid), 0);
  await Promise.all(open.map((sandbox) => sandbox[Symbol.asyncDispose]()));
  return { sandboxes, eachKibibytes: total / sandboxes };
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter((text) => text !== "");
  return children.map(Number).filter(isBubblewrapOrInit).flatMap((child) => [child, ...descendants(child)]);
}

/** The runner of this program has children too. */
function isBubblewrapOrInit(pid: number): boolean {
  const name = readFileSync(`/proc/${pid}/comm`, "latin1").trim();
  return !name.startsWith("esbuild") && !name.startsWith("node");
}

function proportionalKibibytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0);
}
