import type { PermissionSet } from "../permissions/permission-set.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { Environment } from "../subprocess/environment.js";
import { printable } from "../subprocess/printable.js";
import type { ChosenBackend } from "./choose-backend.js";
import type { FilesystemView } from "./filesystem-view.js";
import type { DesktopGrant } from "./desktop-plan.js";
import type { HostFacts } from "./host-facts.js";
import type { PlacedMount } from "./host-path.js";

/** What a sandbox keeps apart, in the order in which a report speaks of it. */
export const Aspect = {
  FILESYSTEM: "filesystem",
  NETWORK: "network",
  PROCESS_IDS: "process-ids",
  IPC: "ipc",
  BUSES: "buses",
  DISPLAY: "display",
  DEVICES: "devices",
  SYSCALLS: "syscalls",
  PRIVILEGES: "privileges",
  ENVIRONMENT: "environment",
  RESOURCES: "resources",
  LIFETIME: "lifetime",
} as const;
export type Aspect = (typeof Aspect)[keyof typeof Aspect];

export const aspects: readonly Aspect[] = Object.values(Aspect);

/** What must be enforced unless a launcher says otherwise. The other aspects are reported. */
export const DEFAULT_REQUIRED: readonly Aspect[] = [
  ...[Aspect.FILESYSTEM, Aspect.NETWORK, Aspect.BUSES, Aspect.DISPLAY, Aspect.DEVICES, Aspect.PRIVILEGES],
  Aspect.LIFETIME,
];

/** What holds a restriction. */
export const Mechanism = {
  MOUNT_NAMESPACE: "mount namespace",
  NETWORK_NAMESPACE: "network namespace",
  PID_NAMESPACE: "pid namespace",
  IPC_NAMESPACE: "ipc namespace",
  UTS_NAMESPACE: "uts namespace",
  CGROUP_NAMESPACE: "cgroup namespace",
  USER_NAMESPACE: "user namespace",
  SECCOMP: "seccomp",
  LANDLOCK: "Landlock",
  NO_NEW_PRIVILEGES: "no_new_privs",
  CAPABILITIES: "dropped capabilities",
  BUS_FILTER: "D-Bus filter",
  RLIMIT: "rlimit",
  CGROUP: "cgroup",
  TMPFS_SIZE: "tmpfs size",
  INIT: "gio-sandbox-init",
  /** What the launcher does itself, before anything starts. */
  LAUNCHER: "launcher",
  FLATPAK: "Flatpak's own",
} as const;
export type Mechanism = (typeof Mechanism)[keyof typeof Mechanism];

/** How much of the outside there is in a child's reach: none, what was granted, or all of it. */
export type Access = "denied" | "partly" | "granted";

/** Whether the backend holds what the permissions say: all of it, some of it, nothing. */
export type Enforcement = "full" | "partial" | "none";

/**
 * One thing that a child can try, and what it will see: exactly this. The program test/fixtures/conformance.c tries every
 * one of them.
 */
export interface Observation {
  /** The probe's name, and behind a space what it is tried on: `connect-host-inet`, `read /etc/shadow`. */
  readonly probe: string;
  /** `OK`, the name of an errno, what there is to see, or one of `Outside`. */
  readonly result: string;
  /** The probe that tries the same outside, where that has another name; absent if it has not. */
  readonly outside?: string;
}

/** Results of which the backend says only how they follow from what a program of the same user sees outside. */
export const Outside = {
  /** The same as outside, without capabilities. */
  SAME: "as outside",
  /** The same, but EROFS for what could be written outside, or is refused by something that is asked only after that. */
  READ_ONLY: "as outside, read-only",
} as const;

/** What a backend says about one aspect. */
export interface Statement {
  readonly access: Access;
  readonly mechanisms: readonly Mechanism[];
  /** What the child will observe, in sentences whose subject is the child. */
  readonly sentences: readonly string[];
  readonly observations: readonly Observation[];
}

export type Statements = Readonly<Record<Aspect, Statement>>;

/** That a backend does not hold what the permissions say, and why. */
export interface Shortfall {
  readonly enforcement: Exclude<Enforcement, "full">;
  /** A clause, without a full stop. */
  readonly reason: string;
}

/** What a backend cannot enforce of some permissions: nothing, if it is empty. A launch looks at this alone. */
export type Shortfalls = ReadonlyMap<Aspect, Shortfall>;

export interface Guarantee extends Statement {
  readonly aspect: Aspect;
  /** Whether nothing is started unless it is enforced in full. */
  readonly required: boolean;
  readonly enforcement: Enforcement;
  /** Why it is not enforced in full; null if it is. */
  readonly shortfall: string | null;
}

/** A system call filter, as far as a report asks it: what a child that makes these calls would see of the filter. */
export interface FilterVerdicts {
  /** The machine's own architecture, by the name that uname(2) has for it. */
  readonly architecture: string;
  /** Whether the architecture has this system call. */
  has(call: string): boolean;
  /** The name of the errno that the call fails with, or of the signal; null if it is let through to the kernel. */
  of(call: string, ...args: readonly (number | bigint)[]): string | null;
  /** The same for a call through the entrance for programs of 32 bits. */
  ofSibling(call: string, ...args: readonly (number | bigint)[]): string | null;
  /** The same for a number, which need not be that of a call. */
  ofNumber(number: number, ...args: readonly (number | bigint)[]): string | null;
}

/** All that a report depends on, read before: nothing is tried for it. */
export interface GuaranteeFacts {
  readonly host: HostFacts;
  readonly permissions: PermissionSet;
  /** The granted paths. */
  readonly mounts: readonly PlacedMount[];
  /** What of the desktop the child reaches. */
  readonly grants: readonly DesktopGrant[];
  /** What the child will find at which path, from the plan of its sandbox. */
  readonly filesystem: FilesystemView;
  readonly environment: Environment;
  /** The working directory, inside the sandbox. */
  readonly directory: string;
  /** The numbers of the child's descriptors. */
  readonly descriptors: readonly number[];
  /** Milliseconds, or null for any time. */
  readonly timeout: number | null;
  readonly filter: FilterVerdicts;
}

/** The guarantees for all aspects, in order. */
export function guaranteesOf(
  statements: Statements,
  shortfalls: Shortfalls,
  required: readonly Aspect[],
): readonly Guarantee[] {
  return aspects.map((aspect) => {
    const shortfall = shortfalls.get(aspect);
    return {
      aspect,
      required: required.includes(aspect),
      enforcement: shortfall?.enforcement ?? "full",
      shortfall: shortfall?.reason ?? null,
      ...statements[aspect],
    };
  });
}

/**
 * Refuses a launch that could not keep what is required of it. It comes before anything is started.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_ENFORCEABLE, with the aspects, the backend and why
 */
export function checkRequired(backend: ChosenBackend, shortfalls: Shortfalls, required: readonly Aspect[]): void {
  const missing = required.flatMap((aspect) => {
    const shortfall = shortfalls.get(aspect);
    return shortfall === undefined ? [] : [`${aspect} (${shortfall.reason})`];
  });
  if (missing.length === 0) return;
  throw sandboxError(
    "NOT_ENFORCEABLE",
    `The backend ${backend} cannot guarantee what is required: ${missing.join(", ")}. ` +
      "Grant less, choose another backend, or require less.",
  );
}

/**
 * Checks a list of aspects, and puts it in order.
 *
 * @throws TypeError for what is no aspect
 */
export function requiredAspects(list: readonly string[]): readonly Aspect[] {
  const unknown = list.find((word) => !aspects.some((aspect) => aspect === word));
  if (unknown !== undefined) {
    throw new TypeError(`Expected aspects (${aspects.join(", ")}), but got “${printable(unknown, 80)}”.`);
  }
  return aspects.filter((aspect) => list.includes(aspect));
}
