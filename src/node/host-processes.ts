import { readFileSync } from "node:fs";
import { kill } from "node:process";

/**
 * Looks for the pid on the host of what bwrap's first process, init, has started with the number `pid`.
 *
 * @param bwrap the pid of bwrap on the host, or null if it never ran
 * @returns the pid in decimal; null if the process has ended, or /proc is hidden from us
 */
export function findHostPid(bwrap: number | null, pid: number): string | null {
  if (bwrap === null) return null;
  for (const init of children(String(bwrap))) {
    for (const process of children(init)) {
      const numbers = /^NSpid:\s*(.*)$/m.exec(readProc(process, "status"))?.[1]?.split(/\s+/) ?? [];
      if (numbers.at(-1) === String(pid)) return process;
    }
  }
  return null;
}

/** Kills everything that a process has started, from below, but not the process itself. */
export function killDescendants(pid: number): void {
  for (const child of children(String(pid)).map(Number)) {
    killDescendants(child);
    killIfThere(child);
  }
}

/** The first process of the sandbox of a bwrap, as the host sees it; null if it has ended. */
export function firstProcess(bwrap: number): number | null {
  const [pid] = children(String(bwrap));
  return pid === undefined ? null : Number(pid);
}

/** Kills a bwrap after its child, which in turn takes its sandbox along. */
export function killTree(bwrap: number | null): void {
  if (bwrap === null) return;
  for (const pid of [...children(String(bwrap)).map(Number), bwrap]) killIfThere(pid);
}

function killIfThere(pid: number): void {
  try {
    kill(pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

function children(pid: string): string[] {
  return readProc(pid, `task/${pid}/children`).split(" ").filter((child) => child !== "");
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
