import { constants, fstatSync, openSync, readlinkSync } from "node:fs";
import type { PermissionSet } from "../permissions/permission-set.js";
import { mountPath } from "../permissions/mount-path.js";
import type { ResolvedMount } from "../plan/host-facts.js";
import { errnoMessage } from "../subprocess/errno.js";
import { ioErrorFromErrno, sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { DescriptorScope } from "./descriptor-scope.js";
import { errnoOf } from "./system-failure.js";

/** Granted paths as they are at this moment: from here on only the descriptors count. */
export interface GrantedPaths {
  readonly mounts: readonly ResolvedMount[];
  /** The O_PATH descriptor of each mount, owned by the scope. */
  readonly descriptors: readonly number[];
}

// include/uapi/asm-generic/fcntl.h: the same on x86_64 and aarch64; node:fs does not have it
const O_PATH = 0o10000000;

/**
 * Looks every granted path up, once.
 *
 * @throws GLibError `g-io-error-quark` NOT_FOUND, PERMISSION_DENIED and so on for a path that is not there or cannot be
 *   reached; `g-exec-error-quark` FAILED for a descriptor that is not open
 */
export function openGrantedPaths(permissions: PermissionSet, scope: DescriptorScope): GrantedPaths {
  const opened = [
    ...permissions.filesystems.map(({ path, mode }) => ({ path, fd: scope.own(openPath(path)), mode })),
    ...permissions.filesystemDescriptors.map(({ fd, path, mode }) => {
      const own = scope.duplicate(fd);
      return { path: path ?? hostPath(own), fd: own, mode };
    }),
  ];
  return {
    mounts: opened.map(({ path, fd, mode }) => {
      const { dev, ino } = fstatSync(fd, { bigint: true });
      return { path, writable: mode !== "ro", device: dev, inode: ino };
    }),
    descriptors: opened.map(({ fd }) => fd),
  };
}

function openPath(path: string): number {
  if (!path.startsWith("/")) throw sandboxError("NOT_ENFORCEABLE", `“${printable(path)}” cannot be granted yet: name a path`);
  try {
    return openSync(path, O_PATH | constants.O_RDONLY);
  } catch (cause) {
    const errno = errnoOf(cause);
    const message = `“${printable(path)}” cannot be granted: ${errnoMessage(errno)}`;
    throw ioErrorFromErrno(errno, message, { cause });
  }
}

function hostPath(descriptor: number): string {
  const path = readlinkSync(`/proc/self/fd/${descriptor}`);
  if (path.startsWith("/") && !path.endsWith(" (deleted)")) return mountPath(path);
  throw sandboxError(
    "INVALID_PERMISSION",
    `The descriptor's file has no path on the host (“${printable(path, 200)}”): say where the child is to see it`,
  );
}
