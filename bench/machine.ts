/** What the figures were measured on. */
import { execFileSync } from "node:child_process";
import { availableParallelism, loadavg, release } from "node:os";
import { geteuid, version } from "node:process";

export interface Machine {
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly bubblewrap: string;
  readonly isRoot: boolean;
  /** Processes that wanted a core on average, in the minute before: ours are none of them yet. */
  readonly loadBefore: number;
}

export function machine(): Machine {
  return {
    cores: availableParallelism(),
    kernel: release().replace(/-.*/, ""),
    node: version,
    bubblewrap: execFileSync("bwrap", ["--version"], { encoding: "utf8" }).trim(),
    isRoot: geteuid?.() === 0,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

export function machineText({ cores, kernel, node, bubblewrap, isRoot, loadBefore }: Machine): string {
  const load = loadBefore > 0.5 ? `not idle (load ${loadBefore.toFixed(1)} before the run)` : "idle before the run";
  return `${cores} cores, Linux ${kernel}, Node ${node}, ${bubblewrap}${isRoot ? ", as root" : ""}; ${load}`;
}
