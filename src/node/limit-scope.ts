import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { env, geteuid, pid as ownPid } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { Limit } from "../permissions/permission-set.js";
import { cgroupPath, isScopeUseful, oomProperty, outOfMemoryKills, scopeProperties } from "../plan/scope-request.js";
import type { Bus } from "./bus/bus.js";
import { connectToBus } from "./bus/bus.js";
import { variant } from "./bus/message-writer.js";

/**
 * A cgroup around a sandbox, which systemd's user manager has made. It holds until the sandbox ends, and is asked for
 * before anything of the child runs.
 */
export interface LimitScope {
  /** Which limits the kernel holds there: not all cgroups have all controllers. */
  readonly holds: { readonly memory: boolean; readonly processes: boolean };
  /** Whether the kernel had to kill in it for the limit of memory. */
  wasOutOfMemory(): Promise<boolean>;
}

/** A sandbox, as far as it can be put into a scope. */
export interface ScopedSandbox {
  /** The pid of init on the host, in decimal, and nothing else; null if that cannot be told of this sandbox. */
  readonly findInits: (() => readonly string[]) | null;
  /** Settles, without an error, when nothing of it is left. */
  readonly ended: Promise<void>;
}

/** The sandbox of a launch; without its init, if no cgroup can be put around it. */
export function scopeable(
  { isInitOnlyChild }: { readonly isInitOnlyChild?: true },
  session: { findInits(): readonly string[]; readonly ended: Promise<void> },
): ScopedSandbox {
  return { findInits: isInitOnlyChild === true ? () => session.findInits() : null, ended: session.ended };
}

/**
 * Puts a sandbox into a scope of its own. That there is no user manager, or that it does not answer in a moment, is no
 * error: then init's watch holds the limits alone.
 */
export async function openLimitScope(
  { findInits, ended }: ScopedSandbox,
  limits: ReadonlyMap<Limit, number>,
): Promise<LimitScope | null> {
  if (findInits === null || !isScopeUseful(limits) || !isManagerThere() || hasFailed) return null;
  const gone = new AbortController();
  void ended.then(() => gone.abort());
  const deadline = AbortSignal.any([AbortSignal.timeout(PATIENCE), gone.signal]);
  let bus: Bus | null = null;
  try {
    bus = await connectToBus("session", { signal: deadline });
    bus.unref();
    const init = await waitFor(() => numberOf(findInits()), deadline);
    const name = `gio-sandbox-${ownPid}-${(count += 1)}-${init}.scope`;
    await startScope(bus, name, limits, init, deadline);
    const path = await waitFor(() => pathBelow(init, name), deadline);
    return new SystemdScope(bus, name, path, ended);
  } catch {
    // it would cost every launch as much again, if the reason is not this one's own end
    hasFailed ||= !gone.signal.aborted;
    bus?.close();
    return null;
  }
}

/**
 * Which limits a scope would hold, for a report before a launch; null if there is no manager to ask, or it has failed. It
 * is a look at files, and no promise: what `openLimitScope()` gives is what holds.
 */
export function expectedLimitScope(): LimitScope["holds"] | null {
  if (!isManagerThere() || hasFailed) return null;
  const uid = geteuid?.() ?? 0;
  const directory = `user.slice/user-${uid}.slice/user@${uid}.service`;
  const controllers = readOr(join(CGROUP_ROOT, directory, "cgroup.controllers"), "").trim().split(" ");
  return { memory: controllers.includes("memory"), processes: controllers.includes("pids") };
}

/** Milliseconds that a launch waits for the manager at most, once. */
const PATIENCE = 1500;

/** Milliseconds that the manager has to remember a scope after its end, for whoever hears of that end. */
const LINGER = 3000;

/** Milliseconds between looks at what the kernel shows. */
const PAUSE = 1;

const CGROUP_ROOT = "/sys/fs/cgroup";

const manager = { destination: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1" } as const;

let hasFailed = false;
let count = 0;

/** Its own socket: there may be a bus without it. */
function isManagerThere(): boolean {
  const directory = env["XDG_RUNTIME_DIR"] ?? "";
  return directory !== "" && existsSync(join(directory, "systemd/private"));
}

async function startScope(
  bus: Bus,
  name: string,
  limits: ReadonlyMap<Limit, number>,
  init: number,
  signal: AbortSignal,
): Promise<void> {
  const properties = scopeProperties(limits, init);
  const start = (all: typeof properties): Promise<unknown> =>
    bus.call({
      ...manager,
      interface: "org.freedesktop.systemd1.Manager",
      member: "StartTransientUnit",
      signature: "ssa(sv)a(sa(sv))",
      body: [name, "fail", all.map(([key, signature, value]) => [key, variant(signature, value)]), []],
      signal,
    });
  try {
    await start([...properties, oomProperty]);
  } catch (error) {
    if (signal.aborted) throw error;
    await start(properties);
  }
}

function numberOf([pid]: readonly string[]): number | null {
  return pid === undefined ? null : Number(pid);
}

/** Waits for what /proc will show: null until then. */
async function waitFor<T>(look: () => T | null, signal: AbortSignal): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== null) return found;
    await delay(PAUSE, undefined, { signal });
  }
}

/** The cgroup of the process, once it is that of the scope. */
function pathBelow(pid: number, name: string): string | null {
  const path = cgroupPath(readOr(`/proc/${pid}/cgroup`, ""));
  return path?.endsWith(`/${name}`) === true ? path : null;
}

class SystemdScope implements LimitScope {
  readonly holds: LimitScope["holds"];
  readonly #bus: Bus;
  readonly #name: string;
  readonly #directory: string;

  constructor(bus: Bus, name: string, path: string, ended: Promise<void>) {
    this.#bus = bus;
    this.#name = name;
    this.#directory = join(CGROUP_ROOT, path);
    void ended.then(() => setTimeout(() => bus.close(), LINGER).unref());
    this.holds = { memory: this.#hasLimit("memory.max"), processes: this.#hasLimit("pids.max") };
  }

  async wasOutOfMemory(): Promise<boolean> {
    const events = readOr(join(this.#directory, "memory.events"), null);
    if (events !== null) return outOfMemoryKills(events) > 0;
    // the cgroup has gone with its last process: the manager knows
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const [unit] = await this.#bus.call({
        ...manager,
        interface: "org.freedesktop.systemd1.Manager",
        member: "GetUnit",
        signature: "s",
        body: [this.#name],
        signal,
      });
      const [result] = await this.#bus.call({
        destination: manager.destination,
        path: String(unit),
        interface: "org.freedesktop.DBus.Properties",
        member: "Get",
        signature: "ss",
        body: ["org.freedesktop.systemd1.Scope", "Result"],
        signal,
      });
      return (result as { readonly value?: unknown } | undefined)?.value === "oom-kill";
    } catch {
      return false;
    }
  }

  #hasLimit(file: string): boolean {
    return /^\d+$/m.test(readOr(join(this.#directory, file), ""));
  }
}

function readOr<T>(path: string, otherwise: T): string | T {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return otherwise;
  }
}
