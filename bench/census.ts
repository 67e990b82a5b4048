/** What a program holds at a moment: what must not grow. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import process, { memoryUsage } from "node:process";
import { childrenOf } from "../src/node/host-processes.js";
import { initProgramPath } from "../src/node/init-program.js";

export interface Census {
  readonly descriptors: number;
  /** Children of this process, zombies too. */
  readonly processes: number;
  /** Processes that are gio-sandbox-init, whosever they are. */
  readonly inits: number;
  /** Entries of the directories for temporary files. */
  readonly files: number;
  /** MiB resident. */
  readonly memory: number;
}

/** What is there in the end: what is about to close has a while to do so. */
export async function settled(before: Census): Promise<Census> {
  const last = performance.now() + PATIENCE;
  for (;;) {
    const after = await census();
    const hasGrown = (["descriptors", "processes", "inits", "files"] as const).some((what) => after[what] > before[what]);
    if (!hasGrown || performance.now() > last) return after;
  }
}

/** Milliseconds. */
const PATIENCE = 5000;

export async function census(): Promise<Census> {
  // what is closed is gone in the next turns of the loop
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    processes: readdirSync("/proc/self/task")
      .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "latin1").split(" "))
      .filter((pid) => pid !== "").length,
    inits: readdirSync("/proc").filter(isInit).length,
    files: [tmpdir(), "/dev/shm"].flatMap((directory) => readdirSync(directory)).filter((name) => name.includes("gio-sandbox"))
      .length,
    memory: Math.round(memoryUsage.rss() / 2 ** 20),
  };
}

/** The pids of this program's inits: of templates, of what was made after their example, and of other sandboxes. */
export function ownInits(): number[] {
  const below = (pid: string): string[] => [pid, ...childrenOf(Number(pid)).flatMap(below)];
  return below(String(process.pid)).filter((pid) => isInit(pid) && isFirst(pid)).map(Number);
}

/** A child that has not executed its program yet is of init's, too, but not the first process of its sandbox. */
function isFirst(pid: string): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** The kernel tells what a process runs, as long as it is no zombie. */
function isInit(pid: string): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    return readlinkSync(`/proc/${pid}/exe`) === initPath;
  } catch {
    // it has ended, or is somebody else's
    return false;
  }
}

const initPath = initProgramPath();
