import type { ResourceUsage } from "../init/decode.js";
import type { Limit } from "../permissions/permission-set.js";
import type { Errno } from "./errno.js";
import { errnoMessage } from "./errno.js";

/** Quark strings of the error domains that a launch can end in. */
export const ErrorDomain = {
  SPAWN: "g-exec-error-quark",
  SPAWN_EXIT: "g-spawn-exit-error-quark",
  IO: "g-io-error-quark",
  SANDBOX: "gio-sandbox-error-quark",
} as const;
export type ErrorDomain = (typeof ErrorDomain)[keyof typeof ErrorDomain];

/** `GSpawnError` (glib/gspawn.h). */
export const SpawnError = {
  FORK: 0,
  READ: 1,
  CHDIR: 2,
  ACCES: 3,
  PERM: 4,
  TOO_BIG: 5,
  NOEXEC: 6,
  NAMETOOLONG: 7,
  NOENT: 8,
  NOMEM: 9,
  NOTDIR: 10,
  LOOP: 11,
  TXTBUSY: 12,
  IO: 13,
  NFILE: 14,
  MFILE: 15,
  INVAL: 16,
  ISDIR: 17,
  LIBBAD: 18,
  FAILED: 19,
} as const;

/** `GIOErrorEnum` (gio/gioenums.h). */
export const IOErrorEnum = {
  FAILED: 0,
  NOT_FOUND: 1,
  EXISTS: 2,
  IS_DIRECTORY: 3,
  NOT_DIRECTORY: 4,
  NOT_EMPTY: 5,
  NOT_REGULAR_FILE: 6,
  NOT_SYMBOLIC_LINK: 7,
  NOT_MOUNTABLE_FILE: 8,
  FILENAME_TOO_LONG: 9,
  INVALID_FILENAME: 10,
  TOO_MANY_LINKS: 11,
  NO_SPACE: 12,
  INVALID_ARGUMENT: 13,
  PERMISSION_DENIED: 14,
  NOT_SUPPORTED: 15,
  NOT_MOUNTED: 16,
  ALREADY_MOUNTED: 17,
  CLOSED: 18,
  CANCELLED: 19,
  PENDING: 20,
  READ_ONLY: 21,
  CANT_CREATE_BACKUP: 22,
  WRONG_ETAG: 23,
  TIMED_OUT: 24,
  WOULD_RECURSE: 25,
  BUSY: 26,
  WOULD_BLOCK: 27,
  HOST_NOT_FOUND: 28,
  WOULD_MERGE: 29,
  FAILED_HANDLED: 30,
  TOO_MANY_OPEN_FILES: 31,
  NOT_INITIALIZED: 32,
  ADDRESS_IN_USE: 33,
  PARTIAL_INPUT: 34,
  INVALID_DATA: 35,
  DBUS_ERROR: 36,
  HOST_UNREACHABLE: 37,
  NETWORK_UNREACHABLE: 38,
  CONNECTION_REFUSED: 39,
  PROXY_FAILED: 40,
  PROXY_AUTH_FAILED: 41,
  PROXY_NEED_AUTH: 42,
  PROXY_NOT_ALLOWED: 43,
  BROKEN_PIPE: 44,
  NOT_CONNECTED: 45,
  MESSAGE_TOO_LARGE: 46,
} as const;

/** Our own domain, `gio-sandbox-error-quark`. */
export const SandboxError = {
  /** No backend can run here; the message says which were tried, why each failed and what can be done. */
  NOT_AVAILABLE: 0,
  /** A required guarantee, or a permission, is beyond what the backend can give. */
  NOT_ENFORCEABLE: 1,
  /** The caller does not itself hold what it wants to grant. */
  NOT_PERMITTED: 2,
  /** The sandbox could not be set up, or was lost; `diagnostics` has what the backend wrote. */
  SETUP_FAILED: 3,
  /** A permission that cannot be understood. */
  INVALID_PERMISSION: 4,
  /** The child went over one of its limits, or the request over one of ours. */
  LIMIT_EXCEEDED: 5,
  /** The child did not end within its timeout, and was killed. */
  TIMED_OUT: 6,
} as const;

export interface GLibErrorDetails {
  /** What went wrong below, if anything. */
  readonly cause?: unknown;
  /** What the backend wrote to its standard error, control characters escaped. */
  readonly diagnostics?: string;
  /** The limit that ended the child. */
  readonly limit?: Limit;
  /** What the child had used by then. */
  readonly usage?: ResourceUsage | null;
}

/**
 * An error with GLib's domain and code.
 *
 * On GJS the shell turns it into a real `GLib.Error` of the same domain, code and message.
 */
export class GLibError extends Error {
  override readonly name = "GLibError";
  /** The domain's quark string. */
  readonly domain: string;
  readonly code: number;
  /** What the backend wrote to its standard error, control characters escaped; null if there was nothing. */
  readonly diagnostics: string | null;
  /** LIMIT_EXCEEDED, TIMED_OUT: the limit that ended the child; null for everything else. */
  readonly limit: Limit | null;
  /** LIMIT_EXCEEDED, TIMED_OUT: what the child had used by then; null if that is not known. */
  readonly usage: ResourceUsage | null;

  constructor(domain: string, code: number, message: string, details: GLibErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.domain = domain;
    this.code = code;
    this.diagnostics = details.diagnostics ?? null;
    this.limit = details.limit ?? null;
    this.usage = details.usage ?? null;
  }

  /** Whether this is the error `code` of `domain`, as `g_error_matches()`. */
  matches(domain: string, code: number): boolean {
    return this.domain === domain && this.code === code;
  }
}

export function sandboxError(
  code: keyof typeof SandboxError,
  message: string,
  details?: GLibErrorDetails,
): GLibError {
  return new GLibError(ErrorDomain.SANDBOX, SandboxError[code], message, details);
}

export function ioError(code: keyof typeof IOErrorEnum, message: string, details?: GLibErrorDetails): GLibError {
  return new GLibError(ErrorDomain.IO, IOErrorEnum[code], message, details);
}

export function cancelledError(): GLibError {
  return ioError("CANCELLED", "Operation was cancelled");
}

const spawnErrorOfErrno: Partial<Record<Errno, keyof typeof SpawnError>> = {
  EACCES: "ACCES",
  EPERM: "PERM",
  E2BIG: "TOO_BIG",
  ENOEXEC: "NOEXEC",
  ENAMETOOLONG: "NAMETOOLONG",
  ENOENT: "NOENT",
  ENOMEM: "NOMEM",
  ENOTDIR: "NOTDIR",
  ELOOP: "LOOP",
  ETXTBSY: "TXTBUSY",
  EIO: "IO",
  ENFILE: "NFILE",
  EMFILE: "MFILE",
  EINVAL: "INVAL",
  EISDIR: "ISDIR",
  ELIBBAD: "LIBBAD",
};

/** The error of a failed execve(), in the words of glib/gspawn.c. `program` is argv[0] as it was given. */
export function execError(errno: Errno, program: string): GLibError {
  const code = SpawnError[spawnErrorOfErrno[errno] ?? "FAILED"];
  const message = `Failed to execute child process “${program}” (${errnoMessage(errno)})`;
  return new GLibError(ErrorDomain.SPAWN, code, message);
}

/** The error of a failed chdir() before execve(). */
export function chdirError(errno: Errno, directory: string): GLibError {
  const message = `Failed to change to directory “${directory}” (${errnoMessage(errno)})`;
  return new GLibError(ErrorDomain.SPAWN, SpawnError.CHDIR, message);
}

/** The error of a descriptor that cannot be given to the child. */
export function descriptorError(errno: Errno): GLibError {
  const message = `Failed to duplicate file descriptor for child process (${errnoMessage(errno)})`;
  return new GLibError(ErrorDomain.SPAWN, SpawnError.FAILED, message);
}

export function forkError(errno: Errno): GLibError {
  return new GLibError(ErrorDomain.SPAWN, SpawnError.FORK, `Failed to fork (${errnoMessage(errno)})`);
}

const ioErrorOfErrno: Partial<Record<Errno, keyof typeof IOErrorEnum>> = {
  EEXIST: "EXISTS",
  EISDIR: "IS_DIRECTORY",
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  ENAMETOOLONG: "FILENAME_TOO_LONG",
  ENOENT: "NOT_FOUND",
  ENOTDIR: "NOT_DIRECTORY",
  EROFS: "READ_ONLY",
  ELOOP: "TOO_MANY_LINKS",
  EMLINK: "TOO_MANY_LINKS",
  ENOSPC: "NO_SPACE",
  ENOMEM: "NO_SPACE",
  EDQUOT: "NO_SPACE",
  EINVAL: "INVALID_ARGUMENT",
  ECANCELED: "CANCELLED",
  ENOTEMPTY: "NOT_EMPTY",
  ENOTSUP: "NOT_SUPPORTED",
  EPROTONOSUPPORT: "NOT_SUPPORTED",
  ESOCKTNOSUPPORT: "NOT_SUPPORTED",
  EPFNOSUPPORT: "NOT_SUPPORTED",
  EAFNOSUPPORT: "NOT_SUPPORTED",
  ETIMEDOUT: "TIMED_OUT",
  EBUSY: "BUSY",
  EAGAIN: "WOULD_BLOCK",
  EMFILE: "TOO_MANY_OPEN_FILES",
  EADDRINUSE: "ADDRESS_IN_USE",
  EHOSTUNREACH: "HOST_UNREACHABLE",
  ENETUNREACH: "NETWORK_UNREACHABLE",
  ENETDOWN: "NETWORK_UNREACHABLE",
  ECONNREFUSED: "CONNECTION_REFUSED",
  EPIPE: "BROKEN_PIPE",
  ECONNRESET: "BROKEN_PIPE",
  ENOTCONN: "NOT_CONNECTED",
  EMSGSIZE: "MESSAGE_TOO_LARGE",
};

/** A system error in the domain of GIO, by the rule of `g_io_error_from_errno()`. */
export function ioErrorFromErrno(errno: Errno, message: string, details?: GLibErrorDetails): GLibError {
  return ioError(ioErrorOfErrno[errno] ?? "FAILED", message, details);
}
