import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { mountPath } from "./mount-path.js";
import type {
  FilesystemDescriptorGrant,
  FilesystemGrant,
  FilesystemMode,
  Limit,
  PermissionSet,
  Share,
} from "./permission-set.js";

/**
 * What a child may do. It begins with nothing, and things are added step by step, in Flatpak's words.
 *
 * A launch freezes the permissions that it uses: changing them afterwards is a TypeError. `copy()` gives new ones.
 */
export class SandboxPermissions {
  readonly #shared = new Set<Share>();
  readonly #filesystems = new Map<string, FilesystemMode>();
  readonly #filesystemDescriptors: FilesystemDescriptorGrant[] = [];
  readonly #limits = new Map<Limit, number>();
  #isFrozen = false;

  /**
   * Shares a subsystem with the host: `network`, or `ipc` (System V IPC and POSIX message queues).
   *
   * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for another word
   */
  share(subsystem: Share): this {
    this.#checkChangeable();
    if (!(shares as readonly string[]).includes(subsystem)) {
      throw invalid(`Expected ${shares.join(" or ")} to share, but got “${printable(subsystem, 80)}”`);
    }
    this.#shared.add(subsystem);
    return this;
  }

  /**
   * Grants a file or directory of the host, at its own path: `/path` or `/path:rw` to read and write, `/path:ro` only to
   * read. The path is looked up at each launch, once. The last grant of a path counts.
   *
   * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a path that is not absolute, has a `..` in it, or
   *   cannot be granted
   */
  addFilesystem(specification: string): this {
    this.#checkChangeable();
    const { path, mode } = parseFilesystem(specification);
    this.#filesystems.set(path, mode);
    return this;
  }

  /**
   * Grants the file or directory that a descriptor refers to, which may be one opened with O_PATH.
   *
   * @param fd stays the caller's, who keeps it open until the last launch with these permissions has begun
   * @param mode `ro` or `rw`
   * @param path where the child sees it; null: at its path on the host
   */
  addFilesystemFd(fd: number, mode: "ro" | "rw", path: string | null = null): this {
    this.#checkChangeable();
    if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`Expected a descriptor, but got ${fd}.`);
    this.#filesystemDescriptors.push({ fd, mode, path: path === null ? null : mountPath(path) });
    return this;
  }

  /**
   * Bounds what the child may use.
   *
   * @param value bytes, seconds of CPU time, milliseconds of `timeout`, or a number of things
   */
  setLimit(kind: Limit, value: number): this {
    this.#checkChangeable();
    if (!(limits as readonly string[]).includes(kind)) {
      throw invalid(`Expected one of ${limits.join(", ")} as a limit, but got “${printable(kind, 80)}”`);
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw invalid(`Expected a whole number as the limit “${kind}”, but got ${value}`);
    }
    this.#limits.set(kind, value);
    return this;
  }

  /** Forbids changes from now on: a launch does so. */
  freeze(): this {
    this.#isFrozen = true;
    return this;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** The same permissions, which can be changed. */
  copy(): SandboxPermissions {
    const copy = new SandboxPermissions();
    this.#shared.forEach((subsystem) => copy.#shared.add(subsystem));
    this.#filesystems.forEach((mode, path) => copy.#filesystems.set(path, mode));
    copy.#filesystemDescriptors.push(...this.#filesystemDescriptors);
    this.#limits.forEach((value, kind) => copy.#limits.set(kind, value));
    return copy;
  }

  /** The permissions as data, for a planner. */
  snapshot(): PermissionSet {
    return {
      shared: new Set(this.#shared),
      sockets: new Set(),
      devices: new Set(),
      filesystems: [...this.#filesystems].map(([path, mode]): FilesystemGrant => ({ path, mode })),
      filesystemDescriptors: [...this.#filesystemDescriptors],
      sessionBus: new Map(),
      systemBus: new Map(),
      portals: false,
      a11y: false,
      environment: new Map(),
      limits: new Map(this.#limits),
      syscalls: { kind: "default" },
    };
  }

  #checkChangeable(): void {
    if (this.#isFrozen) {
      throw new TypeError("These permissions are in use by a launch and cannot be changed: change a copy().");
    }
  }
}

const shares: readonly Share[] = ["network", "ipc"];

const limits: readonly Limit[] = [
  ...(["memory", "address-space", "cpu-time", "file-size", "open-files", "processes", "core", "tmpfs", "timeout"] as const),
];

function parseFilesystem(specification: string): FilesystemGrant {
  const match = /^(?<path>[^]*?)(?::(?<mode>ro|rw))?$/.exec(specification);
  const mode = match?.groups?.["mode"];
  return { path: mountPath(match?.groups?.["path"] ?? ""), mode: mode === "ro" ? "ro" : "rw" };
}

function invalid(message: string): Error {
  return sandboxError("INVALID_PERMISSION", message);
}
