import type { SyscallPolicy } from "../permissions/permission-set.js";
import type { Errno } from "../subprocess/errno.js";
import { errnoByName } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { nearName } from "./near-name.js";
import { groupMembers, groupNames, knownNames } from "./system-calls.js";

/** A policy with entries. */
export type ListPolicy = Exclude<SyscallPolicy, { readonly kind: "default" }>;

/** The calls that a policy names, one by one. */
export interface ResolvedPolicy {
  /** What is refused by name, with its error. */
  readonly refused: ReadonlyMap<string, Errno>;
  /** What is allowed by name; null if everything is that is not refused. */
  readonly allowed: ReadonlySet<string> | null;
  /** What a call gets that is neither. */
  readonly errno: Errno;
}

/**
 * Looks all names up. Of entries for one call the last counts, except that in a list of what is allowed those with an errno,
 * which take a call out again, come before all others.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a name or errno that does not exist, or a call that no
 *   child can do without
 */
export function resolvePolicy(policy: ListPolicy): ResolvedPolicy {
  const errno = checkedErrno(policy.errno, "the list of system calls");
  const refused = new Map<string, Errno>();
  const allowed = new Set(policy.kind === "allow" ? [...(groupMembers("@default") ?? []), ...indispensable] : []);
  for (const entry of policy.entries) {
    const calls = callsOf(entry.name);
    if (policy.kind === "allow" && entry.errno === null) {
      calls.forEach((call) => allowed.add(call));
    } else {
      const own = entry.errno === null ? errno : checkedErrno(entry.errno, `“${printable(entry.name, 80)}”`);
      checkDispensable(entry.name);
      calls.filter((call) => !indispensable.has(call)).forEach((call) => refused.set(call, own));
    }
  }
  refused.forEach((_, call) => allowed.delete(call));
  return { refused, allowed: policy.kind === "allow" ? allowed : null, errno };
}

/**
 * What a child needs to become its program after the filter is there, to say that it could not, to come back from a signal
 * and from being stopped, and to end.
 */
const indispensable: ReadonlySet<string> = new Set([
  ...["execve", "exit", "exit_group", "rt_sigreturn", "sigreturn", "restart_syscall"],
]);

function checkDispensable(name: string): void {
  if (!indispensable.has(name)) return;
  throw invalid(`The system call “${name}” cannot be refused: no child starts, or ends, without it`);
}

function callsOf(name: string): readonly string[] {
  if (knownNames().has(name)) return [name];
  const members = groupMembers(name);
  if (members !== null) return members;
  const isGroup = name.startsWith("@");
  const near = nearName(name, isGroup ? groupNames() : [...knownNames(), ...groupNames()]);
  const what = isGroup ? "group of system calls" : "system call";
  throw invalid(`There is no ${what} “${printable(name, 80)}”${near === null ? "" : `: did you mean “${near}”?`}`);
}

function checkedErrno(name: string, where: string): Errno {
  const errno = errnoByName(name);
  if (errno !== null) return errno;
  throw invalid(`Expected the name of an error, like EPERM or ENOSYS, for ${where}, but got “${printable(name, 80)}”`);
}

function invalid(message: string): Error {
  return sandboxError("INVALID_PERMISSION", message);
}
