import { readdirSync, readFileSync } from "node:fs";
import { kill } from "node:process";

/**
 * Looks for the pid on the host of what init has started with the number `pid`.
 *
 * @param inits the pids on the host, in decimal, of what may be init
 * @returns the pid in decimal; null if the process has ended, or /proc is hidden from us
 */
export function findHostPid(inits: readonly string[], pid: number): string | null {
  return inits.flatMap(children).find((process) => namespacedPids(process).at(-1) === String(pid)) ?? null;
}

/**
 * Looks for the init of a sandbox that was made after a template's example.
 *
 * @param templates the pids on the host, in decimal, of what may be the template's init
 * @param pid the number that the template's sandbox has for it
 * @returns the pid in decimal; null if it has ended, or /proc is hidden from us
 */
export function findMadeInit(templates: readonly string[], pid: number): string | null {
  return templates.flatMap(children).find((process) => namespacedPids(process).at(-2) === String(pid)) ?? null;
}

/** Kills everything that a process has started, from below, but not the process itself. */
export function killDescendants(pid: number): void {
  for (const child of children(String(pid)).map(Number)) {
    killDescendants(child);
    killIfThere(child);
  }
}

/** The pids on the host, in decimal, of what a process has started and not waited for; none for null. */
export function childrenOf(pid: number | null): readonly string[] {
  return pid === null ? [] : children(String(pid));
}

/**
 * Looks for the first process of a sandbox whose pid namespace lies within ours: the one that has `label` for its last
 * argument.
 *
 * @returns its pid; null if there is none, or its process ids are not exposed to us
 */
export function findFirstProcess(label: string): number | null {
  const pids = listProc().filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => commandLine(pid) !== "" && isFirstProcess(pid, label)) ?? null;
}

/**
 * Whether this is that process still. Another one has other arguments. One that is about to end has none any more, but is
 * there until all others of its namespace have ended: pid_namespaces(7), kernel/pid_namespace.c (zap_pid_ns_processes).
 */
export function isFirstProcess(pid: number, label: string): boolean {
  const line = commandLine(pid);
  return (line === "" || line.endsWith(`\0${label}\0`)) && !hasEnded(pid) && namespacedPids(String(pid)).at(-1) === "1";
}

function commandLine(pid: number): string {
  return readProc(String(pid), "cmdline");
}

/** Whether there is no such process, or it only waits for its parent to hear of its end. */
function hasEnded(pid: number): boolean {
  return !/^State:\s*[^ZX\s]/m.test(readProc(String(pid), "status"));
}

/** How often is looked whether a sandbox is there, when nobody tells: milliseconds. */
export const LOOK_INTERVAL = 20;

/**
 * Ends a sandbox of which init has gone: its first process goes when nothing runs in it any more. What a child has left
 * there by killing init ends with it.
 *
 * @param first the pid of its first process; null if that cannot be seen
 * @param patience milliseconds that are waited at most
 */
export async function endFirstProcess(first: number | null, label: string, patience: number): Promise<void> {
  if (first === null) return;
  killIfThere(first);
  for (let waited = 0; isFirstProcess(first, label) && waited < patience; waited += LOOK_INTERVAL) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL));
  }
}

/** Kills a bwrap after its child, which in turn takes its sandbox along. */
export function killTree(bwrap: number | null): void {
  if (bwrap === null) return;
  for (const pid of [...children(String(bwrap)).map(Number), bwrap]) killIfThere(pid);
}

/** Kills a process. One that has ended by itself is no error. */
export function killIfThere(pid: number): void {
  try {
    kill(pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

/** What numbers a process has, from our pid namespace to its own. */
function namespacedPids(pid: string): string[] {
  return /^NSpid:\s*(.*)$/m.exec(readProc(pid, "status"))?.[1]?.split(/\s+/) ?? [];
}

function listProc(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
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
