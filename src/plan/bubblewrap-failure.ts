import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";

/** How bwrap ended without init ever speaking. */
export interface BubblewrapEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What it wrote to its standard error. */
  readonly stderr: string;
}

interface KnownFailure {
  readonly pattern: RegExp;
  readonly cause: string;
  readonly hint: string;
}

/** The messages of bubblewrap 0.4 to 0.11 for a kernel that refuses. */
const refusals: readonly KnownFailure[] = [
  {
    pattern: /setting up uid map: Permission denied/,
    cause: "the kernel lets this program create a user namespace, but not use it (AppArmor does so on Ubuntu 24.04)",
    hint:
      "Allow it for bwrap with an AppArmor profile, or set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0.",
  },
  {
    pattern: /Creating new namespace failed|No permissions to creat(?:e|ing) (?:a )?new namespace/,
    cause: "the kernel does not let this user create namespaces",
    hint:
      "Set the sysctls user.max_user_namespaces above 0 and kernel.unprivileged_userns_clone to 1, where they are. " +
      "In a container, a snap or another sandbox, this has to be allowed from outside.",
  },
  {
    pattern: /Failed RTM_NEWADDR/,
    cause: "the loopback device of a new network namespace cannot be set up",
    hint: "In a container, this has to be allowed from outside.",
  },
];

/** Linux's SIGSYS: a seccomp filter around us killed bwrap; its own children show as 128 + 31. */
const SIGSYS_EXIT = 128 + 31;

/** The error for a bwrap that ended before the sandbox was there: NOT_AVAILABLE if the system refuses sandboxes. */
export function bubblewrapFailure(end: BubblewrapEnd): GLibError {
  const diagnostics = printable(end.stderr.trim().replaceAll("\n", "; "), 2000);
  const known = refusals.find(({ pattern }) => pattern.test(end.stderr));
  if (known !== undefined) {
    return sandboxError("NOT_AVAILABLE", `No sandbox is available. Bubblewrap: ${known.cause}. ${known.hint}`, {
      diagnostics,
    });
  }
  if (end.signal === "SIGSYS" || end.exitCode === SIGSYS_EXIT) {
    return sandboxError(
      "NOT_AVAILABLE",
      "No sandbox is available. Bubblewrap: a system call filter around this program forbids what it needs. " +
        "In a container, a snap or another sandbox, this has to be allowed from outside.",
      { diagnostics },
    );
  }
  const what = diagnostics === "" ? endText(end) : diagnostics;
  return sandboxError("SETUP_FAILED", `The sandbox could not be set up: ${what}`, { diagnostics });
}

function endText({ exitCode, signal }: BubblewrapEnd): string {
  return signal === null ? `bwrap exited with code ${exitCode ?? "?"}` : `bwrap was killed by ${signal}`;
}
