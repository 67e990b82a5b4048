import type { SandboxPlan } from "./bubblewrap-words.js";
import { bubblewrapOptions } from "./bubblewrap-words.js";
import type { PlacedMount } from "./host-path.js";

/** What stands at a path of a sandbox. */
export type FilesystemKind =
  /** A file or directory of the host. */
  | "host"
  /** What the launching application finds there itself, of its own files or of its runtime's. */
  | "application"
  /** A directory of the sandbox's own, with read-only files in it that Flatpak puts into every instance of the application. */
  | "flatpak"
  /** An empty file system of the sandbox's own, which is gone with it. */
  | "private"
  | "directory"
  /** A file that was made for the sandbox. */
  | "file"
  | "link"
  /** A socket that was made for the sandbox, of a filter that runs outside. */
  | "socket"
  /** /proc, of the sandbox's own processes. */
  | "processes"
  /** /dev, with the devices that do no harm. */
  | "devices";

export interface FilesystemEntry {
  readonly path: string;
  readonly kind: FilesystemKind;
  readonly writable: boolean;
  /** Where it is on the host, or where a link leads; null for what has no such thing. */
  readonly source: string | null;
  /** Permission bits, where the sandbox sets them. */
  readonly mode: number | null;
  /** Bytes that a private file system holds; null for any number, and for other kinds. */
  readonly size: number | null;
  /** Whether it is left out where the host does not have it. */
  readonly optional: boolean;
  /** Whether what is there of the host is a directory; null for what is not of the host, or not looked up. */
  readonly isDirectory: boolean | null;
}

/** What the child will find where, sorted by path. Below an entry all is as the entry says, but for further entries. */
export type FilesystemView = readonly FilesystemEntry[];

/** The kind of a file of the host, or null where there is none. */
export type HostFileKind = "directory" | "file" | null;

/**
 * The file system that a plan makes, read from bwrap's own arguments.
 *
 * @param mounts the granted paths, as the plan was made with
 * @param sockets the paths of sockets that are made for the sandbox
 */
export function filesystemView(
  plan: SandboxPlan,
  mounts: readonly PlacedMount[],
  sockets: ReadonlySet<string>,
): FilesystemView {
  const builder = new ViewBuilder((word) => grantedPath(plan, mounts, word), sockets);
  bubblewrapOptions(plan).forEach(({ name, operands }) => builder.add(name, operands));
  return builder.view();
}

/** The view as it is on this host: what is not there is left out. */
export function lookedUp(view: FilesystemView, kindOf: (source: string) => HostFileKind): FilesystemView {
  return view.flatMap((entry) => {
    if ((entry.kind !== "host" && entry.kind !== "application") || entry.source === null) return [entry];
    const kind = kindOf(entry.source);
    return kind === null && entry.optional ? [] : [{ ...entry, isDirectory: kind === "directory" }];
  });
}

/** The entry that says what is at a path: its own, or that of the nearest directory above it. */
export function entryAt(view: FilesystemView, path: string): FilesystemEntry | null {
  const above = view.filter((entry) => isBelow(path, entry.path) || entry.path === path);
  return above.reduce<FilesystemEntry | null>(
    (nearest, entry) => (nearest === null || entry.path.length > nearest.path.length ? entry : nearest),
    null,
  );
}

/** Whether anything of the host, or made for the sandbox, can be found at a path. */
export function isVisible(view: FilesystemView, path: string): boolean {
  const entry = entryAt(view, path);
  if (entry === null) return false;
  if (entry.kind === "link" && entry.path !== path) {
    const others = view.filter((other) => other !== entry);
    return isVisible(others, `${linkedPath(entry.path, entry.source ?? "")}${path.slice(entry.path.length)}`);
  }
  return entry.path === path || showsMore.has(entry.kind) || view.some((other) => isBelow(other.path, path));
}

/** Where a symbolic link leads, if there are no others on the way. */
export function linkedPath(path: string, target: string): string {
  const parts = target.startsWith("/") ? [] : path.split("/").slice(1, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** What has files in it of which the view does not speak one by one. */
const showsMore: ReadonlySet<FilesystemKind> = new Set(["host", "application", "flatpak"]);

function isBelow(path: string, directory: string): boolean {
  return path !== directory && (directory === "/" || path.startsWith(`${directory}/`));
}

/** What a bind's source means: a granted path stands there as its descriptor. */
function grantedPath({ descriptors }: SandboxPlan, mounts: readonly PlacedMount[], word: string): string | null {
  const number = /^(?:\/proc\/self\/fd\/)?(\d+)$/.exec(word)?.[1];
  if (number === undefined) return word;
  const descriptor = descriptors[Number(number)];
  if (descriptor?.kind !== "granted") return word;
  // what was granted by descriptor, and has another name in the sandbox, has none here
  const source = mounts[descriptor.index]?.source ?? "";
  return source === "" ? null : source;
}

/** Does what bwrap does, on paper: a later mount hides what is below it. */
class ViewBuilder {
  readonly #entries = new Map<string, FilesystemEntry>();
  readonly #sourceOf: (word: string) => string | null;
  readonly #sockets: ReadonlySet<string>;
  #mode: number | null = null;
  #size: number | null = null;

  constructor(sourceOf: (word: string) => string | null, sockets: ReadonlySet<string>) {
    this.#sourceOf = sourceOf;
    this.#sockets = sockets;
    this.#put("/", { kind: "private", writable: true });
  }

  view(): FilesystemView {
    return [...this.#entries.values()].sort((a, b) => compare(a.path, b.path));
  }

  add(option: string, [first = "", second = ""]: readonly string[]): void {
    switch (option) {
      case "--perms":
        this.#mode = Number.parseInt(first, 8);
        return;
      case "--size":
        this.#size = Number(first);
        return;
      case "--tmpfs":
        this.#mount(first, { kind: "private", writable: true, mode: this.#mode ?? 0o755, size: this.#size });
        break;
      case "--proc":
        this.#mount(first, { kind: "processes", writable: true });
        break;
      case "--dev":
        this.#mount(first, { kind: "devices", writable: true });
        break;
      case "--dir":
        this.#put(first, { kind: "directory", writable: this.#isWritable(first), mode: this.#mode ?? 0o755 });
        break;
      case "--file":
        this.#put(second, { kind: "file", writable: this.#isWritable(second), mode: this.#mode ?? 0o666 });
        break;
      case "--bind-data":
      case "--ro-bind-data":
        this.#mount(second, { kind: "file", writable: option === "--bind-data", mode: this.#mode ?? 0o600 });
        break;
      case "--symlink":
        this.#put(second, { kind: "link", writable: false, source: first });
        break;
      case "--remount-ro":
        this.#remountReadOnly(first);
        break;
      default:
        if (/^--(ro-|dev-)?bind(-fd|-try)?$/.test(option)) this.#bind(option, first, second);
    }
    this.#mode = null;
    this.#size = null;
  }

  #bind(option: string, source: string, path: string): void {
    if (this.#sockets.has(path)) {
      this.#mount(path, { kind: "socket", writable: false });
      return;
    }
    const writable = !option.startsWith("--ro-");
    this.#mount(path, { kind: "host", writable, source: this.#sourceOf(source), optional: option.endsWith("-try") });
  }

  #mount(path: string, details: EntryDetails): void {
    // what is only there perhaps hides nothing for certain
    if (details.optional !== true) {
      for (const old of this.#entries.keys()) if (isBelow(old, path)) this.#entries.delete(old);
    }
    this.#put(path, details);
  }

  #put(path: string, { mode = null, size = null, source = null, optional = false, ...rest }: EntryDetails): void {
    this.#entries.set(path, { path, mode, size, source, optional, isDirectory: null, ...rest });
  }

  #isWritable(path: string): boolean {
    return entryAt([...this.#entries.values()], path)?.writable ?? true;
  }

  /** The mount itself, not what is mounted in it. */
  #remountReadOnly(path: string): void {
    for (const entry of this.#entries.values()) {
      const isOfMount = entry.path === path || (isBelow(entry.path, path) && !this.#hasMountBetween(path, entry));
      if (isOfMount) this.#entries.set(entry.path, { ...entry, writable: false });
    }
  }

  #hasMountBetween(path: string, entry: FilesystemEntry): boolean {
    return [...this.#entries.values()].some(
      (other) =>
        other.path !== path &&
        isMount(other) &&
        isBelow(other.path, path) &&
        (other.path === entry.path || isBelow(entry.path, other.path)),
    );
  }
}

type EntryDetails = Pick<FilesystemEntry, "kind" | "writable"> &
  Partial<Pick<FilesystemEntry, "mode" | "size" | "source" | "optional">>;

/** Whether an entry is a mount of its own. `--bind-data` is one too, but always as it was made. */
function isMount({ kind }: FilesystemEntry): boolean {
  return kind !== "directory" && kind !== "file" && kind !== "link";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
