import type { Limit, PermissionSet } from "../permissions/permission-set.js";
import { DEFAULT_OPEN_FILES } from "./child-limits.js";
import { DEFAULT_TMPFS_SIZE } from "./root-filesystem.js";

/** What has to be known of the system to say how a limit holds. */
export interface LimitFacts {
  /** The effective user, on the host. */
  readonly uid: number;
  /** As uname(2) has it: `6.1.0-18-amd64`. */
  readonly kernelRelease: string;
  /** Which limits a cgroup of systemd's user manager holds, if there is one: see `LimitScope`. */
  readonly scope: { readonly memory: boolean; readonly processes: boolean } | null;
}

/**
 * `scope`: a cgroup, by systemd's user manager: the kernel itself, exact, for the whole sandbox.
 * `watch`: init looks every few milliseconds, and kills: for the whole sandbox, a moment late.
 * `rlimit`: the kernel, for each process by itself; `processes`: for the sandbox.
 * `mount`: the size of the file system, for each private directory by itself.
 * `timer`: init's clock.
 */
export type LimitMechanism = "scope" | "watch" | "rlimit" | "mount" | "timer";

/** One limit, and how it holds. */
export interface EnforcedLimit {
  readonly limit: Limit;
  /** Bytes, seconds of CPU time, a number of things, or (timeout) milliseconds. */
  readonly value: number;
  /** Whether nobody asked for it. */
  readonly isDefault: boolean;
  readonly mechanisms: readonly LimitMechanism[];
  /** What a child that goes over it will see. */
  readonly observed: string;
}

/**
 * How each limit of a child holds: those that were set, and those that are there anyhow. The launcher's timeout belongs
 * into the permissions' limits before: `limitsWithTimeout`.
 */
export function enforcedLimits({ limits }: Pick<PermissionSet, "limits">, facts: LimitFacts): EnforcedLimit[] {
  const all = new Map<Limit, number>([...defaults, ...limits]);
  return [...all].map(([limit, value]) => ({
    limit,
    value,
    isDefault: !limits.has(limit),
    mechanisms: mechanisms[limit](facts),
    observed: observed[limit],
  }));
}

const defaults: readonly (readonly [Limit, number])[] = [
  ["open-files", DEFAULT_OPEN_FILES],
  ["core", 0],
  ["tmpfs", DEFAULT_TMPFS_SIZE],
];

const mechanisms: Readonly<Record<Limit, (facts: LimitFacts) => LimitMechanism[]>> = {
  memory: ({ scope }) => (scope?.memory === true ? ["scope", "watch"] : ["watch"]),
  processes: (facts) => [
    ...(facts.scope?.processes === true ? (["scope"] as const) : []),
    "watch",
    ...(isProcessLimitSound(facts) ? (["rlimit"] as const) : []),
  ],
  "address-space": () => ["rlimit"],
  "cpu-time": () => ["rlimit"],
  "file-size": () => ["rlimit"],
  "open-files": () => ["rlimit"],
  core: () => ["rlimit"],
  tmpfs: () => ["mount"],
  timeout: () => ["timer"],
};

const observed: Readonly<Record<Limit, string>> = {
  memory: "everything in the sandbox is killed when its processes, their files in memory and its private directories together take more",
  processes: "everything in the sandbox is killed when there are more processes and threads in it",
  "address-space": "mmap() and brk() give ENOMEM, in each process by itself",
  "cpu-time": "SIGXCPU, and SIGKILL a second of CPU time later, for each process by itself",
  "file-size": "SIGXFSZ, or EFBIG where that is ignored, for each file by itself",
  "open-files": "EMFILE, in each process by itself",
  core: "no core file is larger; 0: there is no dump at all",
  tmpfs: "ENOSPC, in each private directory by itself",
  timeout: "everything is killed when the time is over",
};

/**
 * RLIMIT_NPROC counts all processes of a user on the system, but those of a user namespace by themselves since Linux
 * 5.14 (d64696905554, “Reimplement RLIMIT_NPROC on top of ucounts”). It does not bind the system's root (kernel/fork.c).
 */
function isProcessLimitSound({ uid, kernelRelease }: LimitFacts): boolean {
  const [major = 0, minor = 0] = kernelRelease.split(".").map(Number.parseFloat);
  return uid !== 0 && (major > 5 || (major === 5 && minor >= 14));
}
