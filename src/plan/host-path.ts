import type { ResolvedMount } from "./host-facts.js";

/**
 * A path of the host that a permission needs. A shell looks it up once and opens it with O_PATH; from then on only the
 * descriptor counts.
 */
export interface WantedPath {
  /** What asks for it, as a user writes it: `socket=wayland`. */
  readonly permission: string;
  /** In the order in which they are tried: the first that is there and of the type counts. */
  readonly candidates: readonly string[];
  readonly type: "any" | "socket";
  /**
   * `fail`: with the error of the system. `create`: a directory is made, with those above it. `skip`: the planner
   * decides what comes of it.
   */
  readonly ifMissing: "fail" | "create" | "skip";
}

/** What a shell found. */
export interface FoundPath {
  /** Which of the candidates it is. */
  readonly path: string;
  /** The place of the O_PATH descriptor in the shell's list. */
  readonly descriptor: number;
  /** st_dev and st_ino of stat(2). */
  readonly device: bigint;
  readonly inode: bigint;
  readonly kind: "directory" | "other";
}

/** What the child must not see of something that it sees. */
export interface HiddenPath {
  /** As the child would see it. */
  readonly path: string;
  readonly kind: FoundPath["kind"];
}

/** What a permission comes to: one path of the host and what is made of it, or what needs none. */
export interface HostPart {
  readonly wanted: WantedPath;
  /** Where the child sees it; null: not at all, because something of ours stands between. */
  readonly target: string | null;
  readonly access: "ro" | "rw" | "device";
  /** The message if it is not there; null: it is left out then. */
  readonly missing: string | null;
  /** A permission that makes this one unnecessary where it is there: this one is left out then. */
  readonly unless?: string;
  /** A permission that takes this one's place where it is there: this one may be missing then. */
  readonly orElse?: string;
  /** `always`: the child reaches it without the path too. */
  readonly applies?: "always";
  readonly extras?: PartExtras;
}

/** What a part brings with it when it is there. */
export interface PartExtras {
  readonly variables?: Readonly<Record<string, string>>;
  readonly files?: readonly PrivateFile[];
  /** For the user alone. */
  readonly directories?: readonly string[];
}

/** A small file that is made for the child, in one of its private directories. */
export interface PrivateFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: "0600" | "0444";
}

/** A symbolic link in one of the child's private directories. */
export interface PrivateLink {
  readonly path: string;
  readonly target: string;
}

/** A part without a path of the host: it is always there. */
export function withoutPath(permission: string): WantedPath {
  return { permission, candidates: [], type: "any", ifMissing: "skip" };
}

/** Whether a path is `directory` or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

export function toMount(found: FoundPath, target: string, access: HostPart["access"]): PlacedMount {
  const { descriptor, device, inode } = found;
  const mount = { path: target, writable: access !== "ro", device, inode, descriptor, source: found.path };
  return access === "device" ? { ...mount, nodes: "usable" } : mount;
}

/** A mount, and where it comes from. */
export interface PlacedMount extends ResolvedMount {
  /** The place of its descriptor in the shell's list. */
  readonly descriptor: number;
  /** Its path on the host, to be shown. */
  readonly source: string;
}
