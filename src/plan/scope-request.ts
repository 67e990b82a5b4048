import type { Limit } from "../permissions/permission-set.js";

/** A property of a unit as `StartTransientUnit` takes it: its name, and a D-Bus signature with a value of it. */
export type UnitProperty = readonly [name: string, signature: string, value: unknown];

/** What init itself takes. */
const INIT_MEMORY = 2 * 1024 * 1024;
const INIT_PROCESSES = 2;

/** So far the sandbox may go over its limit of processes before fork() fails: init sees it then, and ends it. */
const PROCESS_MARGIN = 16;

/** Whether a cgroup could hold any of these limits. */
export function isScopeUseful(limits: ReadonlyMap<Limit, number>): boolean {
  return limits.has("memory") || limits.has("processes");
}

/**
 * The properties of a transient scope (org.freedesktop.systemd1(5), systemd.resource-control(5)) around the sandbox.
 *
 * @param pid init's on the host: what it starts later is in the scope too
 */
export function scopeProperties(limits: ReadonlyMap<Limit, number>, pid: number): UnitProperty[] {
  const memory = limits.get("memory");
  const processes = limits.get("processes");
  return [
    ["Description", "s", "A sandbox of gio-sandbox"],
    ["PIDs", "au", [pid]],
    // it stays known while we are on the bus, so that we can ask how it ended, and is forgotten then even if it failed
    ["AddRef", "b", true],
    ["CollectMode", "s", "inactive-or-failed"],
    ...(memory === undefined ? [] : memoryProperties(memory)),
    ...(processes === undefined ? [] : [taskProperty(processes)]),
  ];
}

function memoryProperties(bytes: number): UnitProperty[] {
  return [
    ["MemoryAccounting", "b", true],
    ["MemoryMax", "t", BigInt(bytes + INIT_MEMORY)],
    ["MemorySwapMax", "t", 0n],
  ];
}

function taskProperty(processes: number): UnitProperty {
  return ["TasksMax", "t", BigInt(processes + INIT_PROCESSES + PROCESS_MARGIN)];
}

/**
 * All processes go when one has to: memory.oom.group. Scopes have it since systemd 253; an older manager refuses it, and
 * is asked without.
 */
export const oomProperty: UnitProperty = ["OOMPolicy", "s", "kill"];

/** The path of a process in the cgroup v2 hierarchy, by /proc/PID/cgroup; null if it is in none. */
export function cgroupPath(text: string): string | null {
  return /^0::(\/.*)$/m.exec(text)?.[1] ?? null;
}

/** How often the kernel has killed for memory in a cgroup, by its memory.events. */
export function outOfMemoryKills(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
