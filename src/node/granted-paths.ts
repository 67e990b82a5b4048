import type { BigIntStats } from "node:fs";
import { closeSync, constants, fstatSync, mkdirSync, openSync, readlinkSync } from "node:fs";
import type { FilesystemDescriptorGrant, PermissionSet } from "../permissions/permission-set.js";
import { mountPath } from "../permissions/mount-path.js";
import { filesystemParts, hiddenPlaces } from "../plan/filesystem-words.js";
import type { FoundPath, HiddenPath, HostPart, PlacedMount, WantedPath } from "../plan/host-path.js";
import { isWithin, toMount } from "../plan/host-path.js";
import { errnoMessage } from "../subprocess/errno.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { ioErrorFromErrno, sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { DescriptorScope } from "./descriptor-scope.js";
import { O_PATH } from "./descriptor-scope.js";
import { filesystemFacts } from "./desktop-facts.js";
import { hostFacts } from "./host.js";
import { errnoOf } from "./system-failure.js";

/** Granted paths as they are at this moment: from here on only the descriptors count. */
export interface GrantedPaths {
  readonly mounts: readonly PlacedMount[];
  /** The O_PATH descriptor of each mount, in the same order, owned by the scope. */
  readonly descriptors: readonly number[];
  /** Those of the mounts that were granted by their names, which may lead elsewhere by now. */
  readonly byName: readonly PlacedMount[];
  /** What of the mounts the child must not see. */
  readonly hidden: readonly HiddenPath[];
}

/**
 * Looks every granted path up, once. Of grants that the child would see at the same path, the last counts.
 *
 * @throws GLibError `g-io-error-quark` NOT_FOUND, PERMISSION_DENIED and so on for a path that is not there or cannot be
 *   reached; `g-exec-error-quark` FAILED for a descriptor that is not open; `gio-sandbox-error-quark` NOT_AVAILABLE,
 *   INVALID_PERMISSION as `filesystemParts()`
 */
export function openGrantedPaths(permissions: PermissionSet, scope: DescriptorScope): GrantedPaths {
  const opened = new OpenedPaths(scope);
  const [host, facts] = [hostFacts(), filesystemFacts(permissions)];
  const parts = filesystemParts(permissions, host, facts);
  const within = writableParts(parts);
  const mounts = new Map<string, PlacedMount>();
  for (const part of parts) {
    const found = opened.find(part.wanted, within(part));
    if (found !== null && part.target !== null) mounts.set(part.target, toMount(found, part.target, part.access));
  }
  const byDescriptor = new Map<string, PlacedMount>();
  for (const grant of permissions.filesystemDescriptors) {
    const mount = opened.take(grant);
    byDescriptor.set(mount.path, mount);
  }
  const byName = [...mounts.values()].filter(({ path }) => !byDescriptor.has(path));
  const all = [...byName, ...byDescriptor.values()];
  const hidden = hiddenPlaces(permissions, host, facts).flatMap(({ wanted, target }) => {
    const found = opened.find(wanted);
    return found === null || !isHidden(target, all) ? [] : [{ path: target, kind: found.kind }];
  });
  return { ...placed(all, opened.descriptors), byName, hidden };
}

/** A path that is not in any mount is not seen anyway, and one that is granted itself is. */
function isHidden(path: string, mounts: readonly PlacedMount[]): boolean {
  return mounts.some((mount) => isWithin(path, mount.path)) && !mounts.some((mount) => mount.path === path);
}

/** Mounts with the descriptors that they name, at their own places. */
export function placed(
  mounts: readonly PlacedMount[],
  descriptors: readonly number[],
): Pick<GrantedPaths, "mounts" | "descriptors"> {
  return { mounts, descriptors: mounts.map(({ descriptor }) => descriptors[descriptor] ?? -1) };
}

/** Paths that were looked up, with a list of their descriptors. */
export class OpenedPaths {
  /** O_PATH descriptors, owned by the scope. */
  readonly descriptors: number[] = [];
  readonly #scope: DescriptorScope;

  constructor(scope: DescriptorScope) {
    this.#scope = scope;
  }

  /**
   * Opens the first candidate that is there and of the type.
   *
   * @param beneath a directory that a child may have written to: no symbolic link below it is followed
   * @returns null if there is none, and that may be
   * @throws GLibError `g-io-error-quark` if it must not be
   */
  find({ candidates, type, ifMissing }: WantedPath, beneath: string | null = null): FoundPath | null {
    for (const path of candidates) {
      try {
        if (ifMissing === "create") mkdirSync(path, { recursive: true, mode: 0o700 });
        const descriptor = this.#scope.own(openPath(path, beneath));
        const stats = fstatSync(descriptor, { bigint: true });
        if (type === "socket" && !stats.isSocket()) continue;
        return this.#found(path, descriptor, stats);
      } catch (cause) {
        if (ifMissing !== "skip") throw refusal(path, cause);
      }
    }
    return null;
  }

  /** Duplicates a descriptor of the caller's, for it to be mounted. */
  take({ fd, path, mode }: FilesystemDescriptorGrant): PlacedMount {
    const descriptor = this.#scope.duplicateFile(fd);
    const source = path === null ? hostPath(descriptor) : "";
    return toMount(this.#found(source, descriptor, fstatSync(descriptor, { bigint: true })), path ?? source, mode);
  }

  /** Takes over an O_PATH descriptor of something that the shell made itself. */
  add(path: string, descriptor: number): FoundPath {
    return this.#found(path, this.#scope.own(descriptor), fstatSync(descriptor, { bigint: true }));
  }

  #found(path: string, descriptor: number, stats: BigIntStats): FoundPath {
    const kind = stats.isDirectory() ? "directory" : "other";
    return { path, descriptor: this.descriptors.push(descriptor) - 1, device: stats.dev, inode: stats.ino, kind };
  }
}

/** For each part, the outermost directory among the others that the child can write to and that it lies in, if any. */
function writableParts(parts: readonly HostPart[]): (part: HostPart) => string | null {
  const writable = new Set(parts.filter(({ access }) => access === "rw").flatMap(({ wanted }) => wanted.candidates));
  return ({ wanted: { candidates } }) => directoriesAbove(candidates[0] ?? "").find((directory) => writable.has(directory)) ?? null;
}

/** The directories that a path lies in, from the root on. */
function directoriesAbove(path: string): string[] {
  const names = path.split("/").slice(1, -1);
  return path === "/" ? [] : ["/", ...names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`)];
}

/**
 * Opens a path. In a directory that children can write to they can have left a symbolic link, to make a later launch grant
 * what it leads to: below it no link is followed.
 */
function openPath(path: string, beneath: string | null): number {
  const flags = O_PATH | constants.O_RDONLY;
  if (beneath === null) return openSync(path, flags);
  let descriptor = openSync(beneath, flags);
  for (const name of path.slice(beneath.length + 1).split("/")) {
    const parent = descriptor;
    try {
      descriptor = openSync(`/proc/self/fd/${parent}/${name}`, flags | constants.O_NOFOLLOW);
    } finally {
      closeSync(parent);
    }
    if (!fstatSync(descriptor).isSymbolicLink()) continue;
    closeSync(descriptor);
    throw Object.assign(new Error(`${name} is a symbolic link`), { code: "ELOOP" });
  }
  return descriptor;
}

function refusal(path: string, cause: unknown): GLibError {
  const errno = errnoOf(cause);
  return ioErrorFromErrno(errno, `“${printable(path)}” cannot be granted: ${errnoMessage(errno)}`, { cause });
}

function hostPath(descriptor: number): string {
  const path = readlinkSync(`/proc/self/fd/${descriptor}`);
  if (path.startsWith("/") && !path.endsWith(" (deleted)")) return mountPath(path);
  throw sandboxError(
    "INVALID_PERMISSION",
    `The descriptor's file has no path on the host (“${printable(path, 200)}”): say where the child is to see it`,
  );
}
