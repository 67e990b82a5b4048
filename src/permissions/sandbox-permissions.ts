import { printable } from "../subprocess/printable.js";
import { checkBusName, covers } from "./bus-name.js";
import { filesystemPath, parseFilesystem, wholeWords } from "./filesystem.js";
import { checkLimit } from "./limit-value.js";
import { checkText, mountPath } from "./mount-path.js";
import type {
  BusPolicy,
  Device,
  FilesystemDescriptorGrant,
  FilesystemGrant,
  FilesystemMode,
  Limit,
  PermissionSet,
  Share,
  Socket,
  SyscallPolicy,
} from "./permission-set.js";
import { applyPermissionFile, formatPermissionFile } from "./permission-file.js";
import { DEFAULT_SYSCALL_ERRNO, parseSyscallFilter } from "./syscall-filter.js";
import { checkWord, devices, invalidPermission, limits, parseOptional, shares, sockets } from "./vocabulary.js";

/** A socket, or with `-try` one that is left out if the host does not have it. */
export type SocketWord = Socket | `${Exclude<Socket, "fallback-x11">}-try`;

/** A device, or with `-try` one that is left out if the host does not have it. */
export type DeviceWord = Device | `${Device}-try`;

/**
 * What a child may do. It begins with nothing, and things are added step by step, in Flatpak's words. Of two that speak of
 * the same thing, the later counts.
 *
 * A launch freezes the permissions that it uses: changing them afterwards is a TypeError. `copy()` gives new ones.
 *
 * All methods that change something throw a GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a word, path, name
 * or number that they cannot take, and change nothing then.
 */
export class SandboxPermissions {
  #state: State = emptyState();
  #isFrozen = false;
  /** Nothing was ever changed: what that comes to is the same object for all. */
  #isPristine = true;
  /** What does not change any more is the same object each time, which planners may keep things by. */
  #frozenSnapshot: PermissionSet | null = null;

  /** Shares a subsystem with the host: `network`, or `ipc` (System V IPC and POSIX message queues). */
  share(subsystem: Share): this {
    this.#change().shared.add(checkWord(subsystem, shares, "something to share"));
    return this;
  }

  /** Takes back what `share()` gave. */
  unshare(subsystem: Share): this {
    this.#change().shared.delete(checkWord(subsystem, shares, "something to share"));
    return this;
  }

  /**
   * Lets the child reach a service of the desktop through its socket: see `Socket` for the words. A launch fails if the
   * host does not have it, unless `-try` stands behind the word; `fallback-x11` is X11 only where there is no Wayland, and
   * takes the place of `x11`, or the other way round.
   */
  addSocket(socket: SocketWord): this {
    const { word, isOptional } = parseOptional(socket, sockets, "a socket");
    if (word === "fallback-x11" && isOptional) throw invalidPermission("fallback-x11 may be missing as it is: omit “-try”");
    const state = this.#change();
    state.sockets.set(word, isOptional);
    if (word === "x11") state.sockets.delete("fallback-x11");
    if (word === "fallback-x11") state.sockets.delete("x11");
    return this;
  }

  /** Takes back what `addSocket()` gave. */
  removeSocket(socket: Socket): this {
    this.#change().sockets.delete(checkWord(socket, sockets, "a socket"));
    return this;
  }

  /**
   * Gives the child devices: see `Device` for the words. A launch fails if the host does not have them, unless `-try`
   * stands behind the word.
   */
  addDevice(device: DeviceWord): this {
    const { word, isOptional } = parseOptional(device, devices, "a device");
    this.#change().devices.set(word, isOptional);
    return this;
  }

  /** Takes back what `addDevice()` gave. */
  removeDevice(device: Device): this {
    this.#change().devices.delete(checkWord(device, devices, "a device"));
    return this;
  }

  /**
   * Grants a file or directory of the host, at its own path: `/path` or `/path:rw` to read and write, `/path:ro` only to
   * read, `/path:create` to read and write a directory that is made if it is missing. `:ro-try` and `:rw-try` leave out what
   * is missing, where a launch fails otherwise. In place of a path: `~/…`, `home`, `host`, `host-os`, `host-etc`,
   * `host-fonts`, `xdg-pictures` and its sisters (see `FilesystemGrant`).
   *
   * The path is looked up at each launch, once. The last word on a path counts.
   */
  addFilesystem(specification: string): this {
    const { path, mode, isOptional } = parseFilesystem(specification);
    const state = this.#change();
    state.filesystems.set(path, { mode, isOptional });
    state.hiddenPaths.delete(path);
    return this;
  }

  /**
   * Takes back what `addFilesystem()` gave for this path; and if the path lies in another one that is granted, the child does
   * not see what is there. What is granted below it stays granted.
   *
   * @param name a path or word as for `addFilesystem()`, without a mode; `host:reset` takes back all file systems,
   *   descriptors included
   */
  removeFilesystem(name: string): this {
    if (name === "host:reset") {
      const state = this.#change();
      state.filesystems.clear();
      state.filesystemDescriptors.length = 0;
      state.hiddenPaths.clear();
      return this;
    }
    const path = filesystemPath(name);
    const state = this.#change();
    state.filesystems.delete(path);
    if (!(wholeWords as readonly string[]).includes(path)) state.hiddenPaths.add(path);
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
    if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`Expected a descriptor, but got ${fd}.`);
    const grant = { fd, mode: checkWord(mode, ["ro", "rw"], "a mode"), path: path === null ? null : mountPath(path) };
    this.#change().filesystemDescriptors.push(grant);
    return this;
  }

  /**
   * Lets the child know of a name on the session bus, or with `.*` at the end of that name and all below it: that it is
   * there and who owns it.
   */
  addSeeName(name: string): this {
    return this.#setName("sessionBus", name, "see");
  }

  /** Lets the child call the owner of a name on the session bus, and hear its signals: see `addSeeName()`. */
  addTalkName(name: string): this {
    return this.#setName("sessionBus", name, "talk");
  }

  /** Lets the child own a name on the session bus, and talk to it: see `addSeeName()`. */
  addOwnName(name: string): this {
    return this.#setName("sessionBus", name, "own");
  }

  /**
   * Takes back what was given for this name on the session bus.
   *
   * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION if another grant covers it (`org.example.*`, or
   *   `allowPortals()`): a bus filter has no exceptions
   */
  removeName(name: string): this {
    return this.#removeName("sessionBus", name);
  }

  /** As `addSeeName()`, on the system bus. */
  addSystemSeeName(name: string): this {
    return this.#setName("systemBus", name, "see");
  }

  /** As `addTalkName()`, on the system bus. */
  addSystemTalkName(name: string): this {
    return this.#setName("systemBus", name, "talk");
  }

  /** As `addOwnName()`, on the system bus. */
  addSystemOwnName(name: string): this {
    return this.#setName("systemBus", name, "own");
  }

  /** As `removeName()`, on the system bus. */
  removeSystemName(name: string): this {
    return this.#removeName("systemBus", name);
  }

  /**
   * Lets the child use the desktop portals, `org.freedesktop.portal.*` on the session bus, by which the user can give it
   * files and more.
   */
  allowPortals(): this {
    this.#change().portals = true;
    return this;
  }

  /** Takes back what `allowPortals()` gave. */
  disallowPortals(): this {
    this.#change().portals = false;
    return this;
  }

  /** Lets the child reach the accessibility bus, so that a screen reader can read its window. */
  allowA11y(): this {
    this.#change().a11y = true;
    return this;
  }

  /** Takes back what `allowA11y()` gave. */
  disallowA11y(): this {
    this.#change().a11y = false;
    return this;
  }

  /**
   * Sets a variable in the children's environment. What the launcher itself sets comes after it.
   *
   * @param name letters, digits and `_`, as in a shell
   */
  setEnv(name: string, value: string): this {
    checkVariable(name, value);
    this.#change().environment.set(name, value);
    return this;
  }

  /** Takes a variable out of the children's environment, also one that every sandbox has. */
  unsetEnv(name: string): this {
    checkVariable(name, "");
    this.#change().environment.set(name, null);
    return this;
  }

  /**
   * Bounds what the child may use.
   *
   * @param value bytes, seconds of CPU time, milliseconds of `timeout`, or a number of things
   */
  setLimit(kind: Limit, value: number): this {
    const limit = checkWord(kind, limits, "a limit");
    checkLimit(limit, value);
    this.#change().limits.set(limit, value);
    return this;
  }

  /** Takes back what `setLimit()` said: what every sandbox has is left. */
  removeLimit(kind: Limit): this {
    this.#change().limits.delete(checkWord(kind, limits, "a limit"));
    return this;
  }

  /**
   * Says which system calls the child may make, in the words of systemd's SystemCallFilter=: names and groups
   * (`@system-service`), each also with `:ERRNO` behind it.
   *
   * @param filter what is allowed, besides `@default`; with `~` before the first entry what is blocked, besides the list that
   *   is blocked in any case; empty: only that list
   * @param errno what a refused call gets unless its entry says something else
   */
  setSyscalls(filter: readonly string[], errno = DEFAULT_SYSCALL_ERRNO): this {
    const policy = parseSyscallFilter(filter, errno);
    this.#change().syscalls = policy;
    return this;
  }

  /**
   * Permissions from a file: Flatpak's metadata format with the groups `[Limits]` and `[Syscalls]` (docs/permissions.md).
   *
   * @param text what is in the file
   * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a file that cannot be understood in all its parts; the
   *   message names the line and the key
   */
  static fromKeyFile(text: string): SandboxPermissions {
    return new SandboxPermissions().applyKeyFile(text);
  }

  /**
   * Applies a file on top, as Flatpak's overrides: what it grants is added, what it negates (`sockets=!x11`,
   * `org.example.Name=none`, `memory=default`) is taken away.
   *
   * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION as `fromKeyFile()`
   */
  applyKeyFile(text: string): this {
    this.#change();
    const changed = this.copy();
    applyPermissionFile(changed, text);
    this.#state = changed.#state;
    return this;
  }

  /**
   * The permissions as a file, which `fromKeyFile()` reads as equal ones. The same permissions give the same text.
   *
   * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a descriptor, which no file can hold
   */
  toKeyFile(): string {
    const [descriptor] = this.#state.filesystemDescriptors;
    if (descriptor === undefined) return formatPermissionFile(this.snapshot());
    throw invalidPermission(`The descriptor ${descriptor.fd} is granted, and cannot be written into a file`);
  }

  /** For a person to read: the file, with descriptors as comments, control characters escaped. */
  toString(): string {
    const lines = this.#state.filesystemDescriptors.map(descriptorLine);
    const file = formatPermissionFile(this.snapshot());
    return [...lines, ...file.split("\n").map((line) => printable(line, Infinity))].join("\n");
  }

  /** Whether these are the same permissions, in whatever order they were given. */
  equals(other: SandboxPermissions): boolean {
    const [own, others] = [this.#state, other.#state].map(({ filesystemDescriptors }) => filesystemDescriptors.map(descriptorLine).sort());
    return String(own) === String(others) && formatPermissionFile(this.snapshot()) === formatPermissionFile(other.snapshot());
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
    copy.#state = copyOf(this.#state);
    copy.#isPristine = this.#isPristine;
    return copy;
  }

  /** The permissions as data, for a planner: the same object each time once they are frozen. */
  snapshot(): PermissionSet {
    if (!this.#isFrozen) return this.#newSnapshot();
    this.#frozenSnapshot ??= this.#isPristine ? nothingGranted(() => this.#newSnapshot()) : this.#newSnapshot();
    return this.#frozenSnapshot;
  }

  #newSnapshot(): PermissionSet {
    const state = copyOf(this.#state);
    return {
      shared: state.shared,
      sockets: new Set(state.sockets.keys()),
      devices: new Set(state.devices.keys()),
      filesystems: [...state.filesystems].map(([path, { mode }]): FilesystemGrant => ({ path, mode })),
      filesystemDescriptors: state.filesystemDescriptors,
      hiddenPaths: [...state.hiddenPaths],
      optionalSockets: optionalKeys(state.sockets),
      optionalDevices: optionalKeys(state.devices),
      optionalFilesystems: new Set([...state.filesystems].filter(([, grant]) => grant.isOptional).map(([path]) => path)),
      sessionBus: state.sessionBus,
      systemBus: state.systemBus,
      portals: state.portals,
      a11y: state.a11y,
      environment: state.environment,
      limits: state.limits,
      syscalls: state.syscalls,
    };
  }

  #setName(bus: Bus, name: string, policy: BusPolicy): this {
    checkBusName(name);
    this.#change()[bus].set(name, policy);
    return this;
  }

  #removeName(bus: Bus, name: string): this {
    checkBusName(name);
    const state = this.#change();
    const granted = bus === "sessionBus" && state.portals ? [...state[bus].keys(), portalNames] : [...state[bus].keys()];
    const wider = granted.find((other) => other !== name && covers(other, name));
    if (wider !== undefined) {
      throw invalidPermission(`“${name}” cannot be taken away while “${wider}” is granted: grant the others one by one`);
    }
    state[bus].delete(name);
    return this;
  }

  #change(): State {
    this.#isPristine = false;
    if (this.#isFrozen) {
      throw new TypeError("These permissions are in use by a launch and cannot be changed: change a copy().");
    }
    return this.#state;
  }
}

const portalNames = "org.freedesktop.portal.*";

type Bus = "sessionBus" | "systemBus";

interface State {
  readonly shared: Set<Share>;
  /** With whether the host may lack them, as in the two maps below. */
  readonly sockets: Map<Socket, boolean>;
  readonly devices: Map<Device, boolean>;
  readonly filesystems: Map<string, { readonly mode: FilesystemMode; readonly isOptional: boolean }>;
  readonly filesystemDescriptors: FilesystemDescriptorGrant[];
  readonly hiddenPaths: Set<string>;
  readonly sessionBus: Map<string, BusPolicy>;
  readonly systemBus: Map<string, BusPolicy>;
  portals: boolean;
  a11y: boolean;
  readonly environment: Map<string, string | null>;
  readonly limits: Map<Limit, number>;
  syscalls: SyscallPolicy;
}

function emptyState(): State {
  return {
    shared: new Set(),
    sockets: new Map(),
    devices: new Map(),
    filesystems: new Map(),
    filesystemDescriptors: [],
    hiddenPaths: new Set(),
    sessionBus: new Map(),
    systemBus: new Map(),
    portals: false,
    a11y: false,
    environment: new Map(),
    limits: new Map(),
    syscalls: { kind: "default" },
  };
}

function copyOf(state: State): State {
  return {
    ...state,
    shared: new Set(state.shared),
    sockets: new Map(state.sockets),
    devices: new Map(state.devices),
    filesystems: new Map(state.filesystems),
    filesystemDescriptors: [...state.filesystemDescriptors],
    hiddenPaths: new Set(state.hiddenPaths),
    sessionBus: new Map(state.sessionBus),
    systemBus: new Map(state.systemBus),
    environment: new Map(state.environment),
    limits: new Map(state.limits),
  };
}

function optionalKeys<Word>(words: ReadonlyMap<Word, boolean>): ReadonlySet<Word> {
  return new Set([...words].filter(([, isOptional]) => isOptional).map(([word]) => word));
}

function descriptorLine({ fd, mode, path }: FilesystemDescriptorGrant): string {
  return `# descriptor ${fd}, ${mode}, ${path === null ? "at its path on the host" : `at ${printable(path, Infinity)}`}`;
}

function checkVariable(name: string, value: string): void {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw invalidPermission(`Expected the name of a variable, but got “${printable(name, 80)}”`);
  }
  checkText(value, `The value of the variable “${name}”`);
  // GKeyFile takes it for white space before the value, and has no escape for it
  if (value.startsWith("\f")) throw invalidPermission(`The value of the variable “${name}” begins with a form feed`);
}

/** The permissions that everybody has. */
function nothingGranted(make: () => PermissionSet): PermissionSet {
  nothing ??= make();
  return nothing;
}

let nothing: PermissionSet | null = null;
