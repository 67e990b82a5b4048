import type { Architecture } from "../seccomp/architecture.js";

/** What planners have to know of the host. A shell reads it once. */
export interface HostFacts {
  /** The effective user and group: the child's as well. */
  readonly uid: number;
  readonly gid: number;
  /** What programs of ours are built for: system calls have its numbers. */
  readonly architecture: Architecture;
  /** The directories at the root of the file system that hold programs and libraries, besides /usr. */
  readonly systemDirectories: readonly SystemDirectory[];
}

/** /bin, /lib64 and their like: on most systems symbolic links into /usr. */
export interface SystemDirectory {
  /** `/bin` */
  readonly path: string;
  /** What the symbolic link says (`usr/bin`), or null for a real directory. */
  readonly linkTarget: string | null;
}

/** What planners have to know of the user's session. A shell reads it at each launch, and only what the permissions need. */
export interface DesktopFacts {
  /** The launcher's own variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  /** As uname(2) has it. */
  readonly hostname: string;
  /** What is in the root directory: names, without a slash. */
  readonly rootEntries: readonly string[];
  /** What is in /dev, besides symbolic links. */
  readonly devices: readonly DeviceEntry[];
  /** The nodes in /dev/dri. */
  readonly graphics: readonly GraphicsNode[];
  /** The content of `user-dirs.dirs`; null if there is none. */
  readonly userDirectories: string | null;
  /** The content of the user's X authority file; null if there is none. */
  readonly xAuthority: Uint8Array | null;
  /** PulseAudio's cookie; null if there is none. */
  readonly pulseCookie: Uint8Array | null;
  /** The abstract sockets that somebody listens on, without the NUL (or `@`) in front. */
  readonly abstractSockets: ReadonlySet<string>;
  readonly sessionBus: readonly BusSocket[];
  readonly systemBus: readonly BusSocket[];
  readonly a11yBus: readonly BusSocket[];
}

/** Those of a session without anything. */
export const noDesktopFacts: DesktopFacts = {
  ...{ environment: {}, home: "", hostname: "", rootEntries: [], devices: [], graphics: [], userDirectories: null },
  ...{ xAuthority: null, pulseCookie: null, abstractSockets: new Set(), sessionBus: [], systemBus: [], a11yBus: [] },
};

/** Something in /dev: a node (`null`), or a directory of nodes (`dri`). */
export interface DeviceEntry {
  readonly name: string;
  readonly kind: "node" | "directory";
}

/** A device node of a GPU, and where the kernel describes it. */
export interface GraphicsNode {
  /** `226:128` */
  readonly number: string;
  /** What the link /sys/dev/char/NUMBER leads to: `/sys/devices/…/drm/renderD128`. */
  readonly description: string;
  /** The device that it belongs to: `/sys/devices/pci0000:00/0000:00:02.0`. */
  readonly device: string;
}

/** A socket that a bus address names. */
export interface BusSocket {
  readonly kind: "path" | "abstract";
  readonly name: string;
}

/** The names that a `SystemDirectory` can have. */
export const systemDirectoryPaths = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libexec"] as const;

/** A granted path, resolved once: from here on only its descriptor counts. */
export interface ResolvedMount {
  /** Where the child sees it: absolute, normalised. */
  readonly path: string;
  readonly writable: boolean;
  readonly device: bigint;
  readonly inode: bigint;
  /** Device nodes in it can be opened, which a mount forbids unless it says so. */
  readonly nodes?: "usable";
}
