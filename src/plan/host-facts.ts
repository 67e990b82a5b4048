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

/** The names that a `SystemDirectory` can have. */
export const systemDirectoryPaths = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libexec"] as const;

/** A granted path, resolved once: from here on only its descriptor counts. */
export interface ResolvedMount {
  /** Where the child sees it: absolute, normalised. */
  readonly path: string;
  readonly writable: boolean;
  readonly device: bigint;
  readonly inode: bigint;
}
