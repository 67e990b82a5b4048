import type { ResourceLimit, Watch } from "../init/encode.js";
import type { Limit, PermissionSet } from "../permissions/permission-set.js";
import { descriptorError } from "../subprocess/glib-error.js";
import type { ChildDescriptor } from "../subprocess/launch-request.js";

/** RLIMIT_*: include/uapi/asm-generic/resource.h, the same on every architecture that we run on. */
export const Resource = {
  CPU: 0,
  FSIZE: 1,
  CORE: 4,
  NOFILE: 7,
  AS: 9,
} as const;

/**
 * Open files of a child unless a limit says otherwise: what Linux gives by default. Node raises its own limit to the
 * hard one and its children would inherit that, which breaks programs that use select(2).
 */
export const DEFAULT_OPEN_FILES = 1024;

/**
 * No core dump, neither as a file nor to a program: the kernel ignores a limit of 0 when core_pattern is a pipe, but
 * takes 1 as “no dump” (fs/coredump.c). What a hostile child leaves in its memory is not for a decoder on the host.
 */
const NO_CORE = 1;

/**
 * Seconds of CPU time between SIGXCPU, which a process may catch, and SIGKILL. With none between them the kernel sends
 * SIGKILL alone (kernel/time/posix-cpu-timers.c), and nothing would say why the process ended.
 */
export const CPU_TIME_GRACE = 1;

/** Limits that are Linux's own, for each process by itself. `memory` and `processes` are not: see `sandboxWatch`. */
const resources: Partial<Record<Limit, number>> = {
  "address-space": Resource.AS,
  "cpu-time": Resource.CPU,
  "file-size": Resource.FSIZE,
  "open-files": Resource.NOFILE,
  core: Resource.CORE,
};

/** The resource limits that init sets for the child. */
export function childLimits({ limits }: PermissionSet): ResourceLimit[] {
  const values = new Map<number, number>([
    [Resource.NOFILE, DEFAULT_OPEN_FILES],
    [Resource.CORE, NO_CORE],
  ]);
  for (const [limit, value] of limits) {
    const resource = resources[limit];
    if (resource === undefined) continue;
    values.set(resource, resource === Resource.CORE ? Math.max(value, NO_CORE) : value);
  }
  return [...values].map(([resource, value]) => ({
    resource,
    soft: value,
    hard: resource === Resource.CPU ? value + CPU_TIME_GRACE : value,
  }));
}

/**
 * What init is to watch in the whole sandbox; undefined if neither memory nor processes are limited.
 *
 * @param isIpcIsolated whether the sandbox has an IPC namespace of its own unless the permissions share the host's
 */
export function sandboxWatch({ limits, shared }: PermissionSet, isIpcIsolated: boolean): Watch | undefined {
  const memoryBytes = limits.get("memory") ?? null;
  const processes = limits.get("processes") ?? null;
  if (memoryBytes === null && processes === null) return undefined;
  return { memoryBytes, processes, hasOwnIpc: isIpcIsolated && !shared.has("ipc") };
}

/** Whether init has to know the private directories: they are memory too, and can be full. */
export function isTmpfsWatched({ limits }: PermissionSet): boolean {
  return limits.has("memory") || limits.has("tmpfs");
}

/**
 * The limits of a child with the launcher's own timeout among them: the smaller one of that and the permissions' counts.
 *
 * @param timeout milliseconds; null for none
 */
export function limitsWithTimeout(limits: ReadonlyMap<Limit, number>, timeout: number | null): ReadonlyMap<Limit, number> {
  const all = new Map(limits);
  if (timeout !== null) all.set("timeout", Math.min(timeout, limits.get("timeout") ?? Infinity));
  return all;
}

/**
 * Checks that the child can have these descriptors at all, before anything is started.
 *
 * @throws GLibError `g-exec-error-quark` FAILED for a target that is negative or not below the limit of open files
 */
export function checkTargets(descriptors: readonly ChildDescriptor[], { limits }: PermissionSet): void {
  const openFiles = limits.get("open-files") ?? DEFAULT_OPEN_FILES;
  for (const { target } of descriptors) {
    if (!Number.isInteger(target) || target < 0 || target >= openFiles) throw descriptorError("EBADF");
  }
}
