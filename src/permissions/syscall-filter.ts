import { errnoByName } from "../subprocess/errno.js";
import { printable } from "../subprocess/printable.js";
import type { SyscallEntry, SyscallPolicy } from "./permission-set.js";
import { invalidPermission } from "./vocabulary.js";

/** What a refused call gets unless something else is said. */
export const DEFAULT_SYSCALL_ERRNO = "EPERM";

/**
 * Reads a filter in the words of systemd's SystemCallFilter=: names of calls and groups (`@network-io`), each also with
 * `:ERRNO` behind it. They are what is allowed; with `~` before the first, what is blocked besides the default list. None
 * at all is the default.
 *
 * Whether there is a call or group of that name is for the compiler of filters to say.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function parseSyscallFilter(filter: readonly string[], errno: string): SyscallPolicy {
  const listErrno = checkErrno(errno);
  const [first, ...rest] = filter;
  if (first === undefined) return { kind: "default" };
  const isBlockList = first.startsWith("~");
  const entries = [isBlockList ? first.slice(1) : first, ...rest].map(parseEntry);
  return { kind: isBlockList ? "block" : "allow", entries, errno: listErrno };
}

/** The opposite of `parseSyscallFilter()`. */
export function formatSyscallFilter(policy: SyscallPolicy): readonly string[] {
  if (policy.kind === "default") return [];
  const words = policy.entries.map(({ name, errno }) => (errno === null ? name : `${name}:${errno}`));
  return words.map((word, index) => (index === 0 && policy.kind === "block" ? `~${word}` : word));
}

function parseEntry(text: string): SyscallEntry {
  const match = /^(?<name>@?[a-z0-9_-]{1,64})(?::(?<errno>\w{1,32}))?$/.exec(text);
  const { name, errno } = match?.groups ?? {};
  if (name === undefined) {
    const hint = text.startsWith("~") ? ": “~” stands before the first entry, and holds for all" : "";
    throw invalidPermission(
      `Expected a system call or a group such as @network-io, but got “${printable(text, 80)}”${hint}`,
    );
  }
  return { name, errno: errno === undefined ? null : checkErrno(errno) };
}

/** @returns the errno's own name for one of its other names */
function checkErrno(name: string): string {
  const errno = /^E[A-Z0-9]{1,30}$/.test(name) ? errnoByName(name) : null;
  if (errno === null) throw invalidPermission(`Expected an error such as EPERM, but got “${printable(name, 80)}”`);
  return errno;
}
