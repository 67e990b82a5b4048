import type { BusPolicy, Limit } from "../permissions/permission-set.js";
import { childLimits, limitsWithTimeout, Resource } from "./child-limits.js";
import type { DesktopGrant } from "./desktop-plan.js";
import type { FilesystemEntry, FilesystemView } from "./filesystem-view.js";
import { entryAt, isVisible } from "./filesystem-view.js";
import type { GuaranteeFacts, Observation, Statement } from "./guarantees.js";
import { Mechanism, Outside } from "./guarantees.js";
import type { LimitFacts, LimitMechanism } from "./limit-mechanisms.js";
import { enforcedLimits } from "./limit-mechanisms.js";
import { ADDR_NO_RANDOMIZE, CloneFlag, DIRTY_HIGH_WORD, probedCalls, SocketFamily, TerminalRequest } from "./probed-calls.js";
import { bytesText } from "./report-text.js";

/** What a report of a sandbox follows from that consists of namespaces, with gio-sandbox-init in it. */
export interface SandboxFacts extends GuaranteeFacts {
  /** What limits depend on. */
  readonly limitFacts: LimitFacts;
  readonly traits: SandboxTraits;
}

/** What such sandboxes differ in, depending on who makes them. */
export interface SandboxTraits {
  /** Who makes them, where that is not us. */
  readonly makers: readonly Mechanism[];
  /** The pid of gio-sandbox-init, the parent of all. */
  readonly init: 1 | 2;
  /** What comes of a signal to the processes up to init, as far as it is only tried. */
  readonly signalToInit: "OK" | "EPERM";
  /** Which of these the child has in common with the launching program. */
  readonly shares: ReadonlySet<"network" | "ipc">;
  /** Whether these are the sandbox's own; null where that cannot be told beforehand. */
  readonly namespaces: Readonly<Record<"cgroup" | "user" | "uts", "own" | "the host's" | null>>;
  /** The child's name for the host; null: the host's own. */
  readonly hostName: string | null;
  /** The child's XDG_RUNTIME_DIR. */
  readonly runtime: string;
  /** Where sockets of buses would be, if they were granted. */
  readonly busSockets: readonly string[];
  /** What the probes `process …` will see, as far as that can be told beforehand. */
  readonly process: Readonly<Record<string, string>>;
  /** Whether limits that nobody sets are those of the launching program. */
  readonly otherLimits: "inherited" | "unknown";
  /** What becomes of a call that our filter lets through, where all kernels say `kernel` to it (null: not all say the same). */
  readonly beyondFilter: (kernel: string | null) => string | null;
}

function observe(probe: string, result: string): Observation {
  return { probe, result };
}

/** An observation that comes to a system call, which the filter may refuse before the kernel is asked. */
function observeCall(
  { filter }: GuaranteeFacts,
  probe: string,
  [call, ...args]: readonly [string, ...(number | bigint)[]],
  kernel: string,
): Observation {
  return observe(probe, filter.of(call, ...args) ?? kernel);
}

/** The same for a call that another filter may refuse as well, which comes before the kernel. */
function observeJudgedCall(facts: SandboxFacts, probe: string, call: readonly [string, ...(number | bigint)[]], kernel: string): Observation {
  return observeCall(facts, probe, call, facts.traits.beyondFilter(kernel) ?? kernel);
}

/** Paths of the host that tell whether it is hidden. */
export const tellingPaths: readonly string[] = [
  ...["/boot", "/etc/hostname", "/etc/machine-id", "/etc/shadow", "/etc/ssh", "/media", "/mnt", "/opt", "/root", "/srv"],
  ...["/run/systemd", "/run/udev", "/sys", "/var/lib", "/var/log"],
  ...["/.flatpak-info", "/app", "/run/flatpak", "/run/host"],
];

/** @param own about what of the file system is the sandbox's own, in sentences */
export function filesystem(facts: SandboxFacts, own: readonly string[]): Statement {
  const { filesystem: view, mounts, traits } = facts;
  const granted = view.filter(({ path }) => mounts.some((mount) => mount.path === path));
  return {
    access: granted.length === 0 ? "denied" : "partly",
    mechanisms: [...traits.makers, Mechanism.MOUNT_NAMESPACE],
    sentences: [
      "It finds what the picture of the file system shows, and nothing else of the host: ENOENT.",
      "It cannot write to what the picture shows as read-only: EROFS.",
      ...own,
      ...granted.map(({ path, writable }) =>
        writable ? `It can read and write ${path} as its user may.` : `It can read ${path} as its user may.`,
      ),
    ],
    observations: [
      ...view.flatMap(entryObservations),
      ...tellingPaths.flatMap((path) => hidingObservations(view, path)),
      observe("execute-own /tmp", "OK"),
      observe("namespace mnt", "own"),
    ],
  };
}

function hidingObservations(view: FilesystemView, path: string): Observation[] {
  if (!isVisible(view, path)) return [observe(`read ${path}`, "ENOENT")];
  const entry = entryAt(view, path);
  return entry?.kind === "flatpak" && entry.path !== path ? [observe(`read ${path}`, Outside.SAME)] : [];
}

function entryObservations(entry: FilesystemEntry): Observation[] {
  const { path, kind, writable, source, mode, size } = entry;
  if (kind === "host" || kind === "application") return hostObservations(entry);
  const reading = observe(`read ${path}`, mode !== null && (mode & S_IRUSR) === 0 ? "EACCES" : "OK");
  const writing = observe(`write ${path}`, writable ? "OK" : "EROFS");
  const sizes = size === null ? [] : [observe(`size ${path}`, String(size))];
  const modes = mode === null ? [] : [observe(`mode ${path}`, mode.toString(8).padStart(4, "0"))];
  switch (kind) {
    case "link":
      return [observe(`link ${path}`, source ?? "")];
    case "socket":
      return [observe(`read ${path}`, "ENXIO")];
    case "file":
      return [reading, ...modes, ((mode ?? 0) & S_IWUSR) === 0 ? observe(`write ${path}`, "EACCES") : writing];
    case "flatpak":
      // what the kernel says to those who open such a file is its own affair
      return writable ? [reading, writing] : [];
    case "directory":
    case "private":
    case "devices":
      return [reading, writing, ...modes, ...sizes];
    case "processes":
      return [reading];
  }
}

function hostObservations({ path, writable, source, isDirectory }: FilesystemEntry): Observation[] {
  if (source === null) return [];
  // to open a device may have it do something
  if (path.startsWith("/dev/") && isDirectory !== true) return [observeSame("access", path, source)];
  const reading = observeSame("read", path, source);
  if (writable) return [reading, observeSame("write", path, source)];
  if (isDirectory !== true) return [reading, { ...observeSame("write", path, source), result: Outside.READ_ONLY }];
  // nothing can be made in /proc at all
  return [reading, observe(`write ${path}`, path.startsWith("/proc/") ? "ENOENT" : "EROFS")];
}

/** The same as outside, for a path that may have another name there. */
function observeSame(probe: string, path: string, source: string): Observation {
  const same = observe(`${probe} ${path}`, Outside.SAME);
  return source === path ? same : { ...same, outside: `${probe} ${source}` };
}

const S_IRUSR = 0o400;
const S_IWUSR = 0o200;

/** Every family, and one that a filter could take for another. */
function socketObservations(facts: SandboxFacts): Observation[] {
  const families = Array.from({ length: SocketFamily.MAX + 1 }, (_, family) => family);
  const made: readonly number[] = [SocketFamily.UNIX, SocketFamily.INET, SocketFamily.INET6, SocketFamily.NETLINK];
  return [
    ...families.flatMap((family): Observation[] => {
      const verdict = socketVerdict(facts, family);
      if (verdict !== null) return [observe(`socket ${family}`, verdict)];
      // which of the others a kernel has is its own affair
      return family === SocketFamily.UNSPEC
        ? [observe(`socket ${family}`, "EAFNOSUPPORT")]
        : [observe(`socket ${family}`, made.includes(family) ? "OK" : Outside.SAME)];
    }),
    observe(
      `dirty-socket ${SocketFamily.VSOCK}`,
      facts.filter.of("socket", DIRTY_HIGH_WORD | BigInt(SocketFamily.VSOCK), 1) ?? Outside.SAME,
    ),
  ];
}

/** What the filter says to socket(), before the kernel is asked. */
function socketVerdict({ filter }: GuaranteeFacts, family: number): string | null {
  return filter.of("socket", family, 1);
}

/** An attempt to connect to a socket that is not there. */
function observeNoSocket(facts: GuaranteeFacts, path: string): Observation {
  return observe(`connect ${path}`, socketVerdict(facts, SocketFamily.UNIX) ?? "ENOENT");
}

export function network(facts: SandboxFacts): Statement {
  const isShared = facts.traits.shares.has("network");
  const seen = (alone: string): string => (isShared ? Outside.SAME : alone);
  const stream = (family: number): string | null => socketVerdict(facts, family);
  return {
    access: isShared ? "granted" : "denied",
    mechanisms: isShared ? [] : [...facts.traits.makers, Mechanism.NETWORK_NAMESPACE],
    sentences: isShared
      ? [
          "It has the host's network: every interface, the servers on the host's loopback device too.",
          "It can connect to the host's abstract Unix sockets, which belong to the network.",
          "It cannot make raw or packet sockets.",
        ]
      : [
          "It can make sockets, and has a loopback device of its own with nobody else on it.",
          "connect() to any other address gives ENETUNREACH.",
          "The host's servers on 127.0.0.1 and ::1, and its abstract Unix sockets, are not there: ECONNREFUSED.",
        ],
    observations: [
      observe("namespace net", isShared ? "the host's" : "own"),
      observe("interfaces", stream(SocketFamily.NETLINK) ?? seen("lo")),
      observe("own-loopback", stream(SocketFamily.INET) ?? "OK"),
      observe("connect-host-inet", stream(SocketFamily.INET) ?? seen("ECONNREFUSED")),
      observe("connect-host-inet6", stream(SocketFamily.INET6) ?? seen("ECONNREFUSED")),
      observe("connect-own-address", stream(SocketFamily.INET) ?? seen("ENETUNREACH")),
      observe("connect-host-abstract", stream(SocketFamily.UNIX) ?? seen("ECONNREFUSED")),
      observe("route-inet", stream(SocketFamily.INET) ?? seen("ENETUNREACH")),
      observe("route-inet6", stream(SocketFamily.INET6) ?? seen("ENETUNREACH")),
      observe("raw-socket", stream(SocketFamily.INET) ?? "EPERM"),
      ...socketObservations(facts),
    ],
  };
}

/** @param sentences about what the child sees and can do to processes */
export function processIds(facts: SandboxFacts, sentences: readonly string[]): Statement {
  const { makers, init, signalToInit } = facts.traits;
  const guarded = Array.from({ length: init }, (_, index) => index + 1);
  return {
    access: "denied",
    mechanisms: [...makers, Mechanism.PID_NAMESPACE, Mechanism.INIT, ...(signalToInit === "EPERM" ? [Mechanism.LANDLOCK] : [])],
    sentences,
    observations: [
      observe("namespace pid", "own"),
      observe("foreign-processes", String(init - 1)),
      observeCall(facts, "signal-host-process", ["kill"], "ESRCH"),
      observe("read-memory-of-host-process", "ENOENT"),
      ...guarded.flatMap((pid) => [
        observeCall(facts, `signal ${pid}`, ["kill"], signalToInit),
        ...["environ", "exe", "fd/3", "mem", "root"].map((file) => observe(`read /proc/${pid}/${file}`, "EACCES")),
      ]),
    ],
  };
}

export function ipc(facts: SandboxFacts): Statement {
  const isShared = facts.traits.shares.has("ipc");
  const seen = (alone: string): string => (isShared ? Outside.SAME : alone);
  return {
    access: isShared ? "granted" : "denied",
    mechanisms: [...facts.traits.makers, ...(isShared ? [] : [Mechanism.IPC_NAMESPACE]), Mechanism.MOUNT_NAMESPACE],
    sentences: [
      isShared
        ? "It shares the host's System V IPC objects and POSIX message queues, as its user may use them."
        : "It sees none of the host's System V IPC objects and POSIX message queues, and can make its own: ENOENT.",
      ...(facts.permissions.devices.has("shm") ? [] : ["Its /dev/shm is its own."]),
    ],
    observations: [
      observe("namespace ipc", isShared ? "the host's" : "own"),
      observeCall(facts, "host-shared-memory", ["shmget"], seen("ENOENT")),
      observeCall(facts, "host-message-queue", ["mq_open"], seen("ENOENT")),
      observeCall(facts, "own-shared-memory", ["shmget"], "OK"),
    ],
  };
}

/** The grants of some permissions, as users write them. */
function grantsOf({ grants }: GuaranteeFacts, ...permissions: readonly string[]): readonly DesktopGrant[] {
  return grants.filter(({ permission }) => permissions.includes(permission));
}

/** An attempt to connect to a socket that is granted. */
function observeSocket(facts: GuaranteeFacts, { source, target }: DesktopGrant): Observation[] {
  if (target === null || source === null) return [];
  const verdict = socketVerdict(facts, SocketFamily.UNIX);
  return [verdict === null ? observeSame("connect", target, source) : observe(`connect ${target}`, verdict)];
}

/** Sockets that are at these paths only if they are granted. */
function observeSockets(facts: SandboxFacts, granted: readonly DesktopGrant[], paths: readonly string[]): Observation[] {
  const others = paths.filter((path) => !granted.some(({ target }) => target === path));
  return [
    ...granted.flatMap((grant) => observeSocket(facts, grant)),
    ...others.map((path) => (isVisible(facts.filesystem, path) ? observe(`connect ${path}`, Outside.SAME) : observeNoSocket(facts, path))),
  ];
}

function observeVariables(facts: GuaranteeFacts, names: readonly string[]): Observation[] {
  return names.map((name) => observe(`variable ${name}`, variable(facts, name) ?? "unset"));
}

export function buses(facts: SandboxFacts): Statement {
  const { makers, busSockets } = facts.traits;
  const session = grantsOf(facts, "socket=session-bus", "portals", "session bus policy");
  const system = grantsOf(facts, "socket=system-bus", "system bus policy");
  const others = grantsOf(facts, "a11y", "socket=ssh-auth", "socket=gpg-agent");
  const granted = [...session, ...system, ...others];
  const isFiltered = granted.some(({ mechanism }) => mechanism === "bus-proxy");
  const isWhole = granted.some(({ permission }) => permission.startsWith("socket="));
  return {
    access: granted.length === 0 ? "denied" : isWhole ? "granted" : "partly",
    mechanisms: [
      ...[...makers, Mechanism.MOUNT_NAMESPACE, ...networkHiding(facts)],
      ...(isFiltered ? [Mechanism.BUS_FILTER] : []),
    ],
    sentences: [
      ...(granted.length === 0
        ? ["It has no D-Bus: neither the address nor the socket of any bus is there."]
        : granted.map((grant) => busSentence(facts, grant))),
      ...(facts.traits.shares.has("network") ? ["A bus that listens on an abstract socket is in reach with the network."] : []),
    ],
    observations: [
      ...observeVariables(facts, ["DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "AT_SPI_BUS_ADDRESS", "SSH_AUTH_SOCK"]),
      ...observeSockets(facts, granted.filter(({ mechanism }) => mechanism === "mount"), [
        ...busSockets.filter((path) => !granted.some(({ target }) => target === path)),
      ]),
      ...session.flatMap((grant) => nameObservations(facts, grant, facts.permissions.sessionBus)),
      ...system.flatMap((grant) => nameObservations(facts, grant, facts.permissions.systemBus)),
    ],
  };
}

function busSentence({ permissions }: GuaranteeFacts, { permission, mechanism }: DesktopGrant): string {
  const isFiltered = mechanism === "bus-proxy";
  switch (permission) {
    case "socket=session-bus":
      return "It has all of the session bus, and with it whatever programs there do for it, as to start others outside.";
    case "socket=system-bus":
      return "It has all of the system bus, as your programs have it.";
    case "a11y":
      return "It reaches the accessibility bus, to offer itself to assistive technology: no other program's content.";
    case "socket=ssh-auth":
      return "It can have your SSH agent sign for it.";
    case "socket=gpg-agent":
      return "It can have your GnuPG agent sign and decrypt for it.";
    default:
      break;
  }
  const policies = permission === "system bus policy" ? permissions.systemBus : permissions.sessionBus;
  const names = [...policies].filter(([, policy]) => policy !== "none").map(([name, policy]) => `${name} (${policy})`);
  const portals = permission === "portals" ? ["the portals, for which it is a sandboxed application"] : [];
  const bus = permission === "system bus policy" ? "system" : "session";
  return `It sees of the ${bus} bus ${listed([...portals, ...names])}${isFiltered ? ", and no other name" : ""}.`;
}

/** A name that is on most buses, and on the list of nobody. */
const UNGRANTED_NAME = "org.freedesktop.systemd1";

function nameObservations(
  facts: GuaranteeFacts,
  { source, target, mechanism, permission }: DesktopGrant,
  policies: ReadonlyMap<string, BusPolicy>,
): Observation[] {
  if (target === null || source === null) return [];
  const verdict = socketVerdict(facts, SocketFamily.UNIX);
  const name = (probe: string, word: string, result: string | null): Observation => {
    const inside = `${probe} ${target} ${word}`;
    if (verdict !== null) return observe(inside, verdict);
    return result === null ? { ...observe(inside, Outside.SAME), outside: `${probe} ${source} ${word}` } : observe(inside, result);
  };
  if (mechanism === "mount") {
    return [observe(`bus ${target}`, verdict ?? "OK"), name("see-name", UNGRANTED_NAME, null)];
  }
  const isWhole = permission.startsWith("socket=");
  const named = [...policies].filter(([word]) => !word.endsWith(".*"));
  return [
    observe(`bus ${target}`, verdict ?? "OK"),
    ...(policies.has(UNGRANTED_NAME) ? [] : [name("see-name", UNGRANTED_NAME, isWhole ? null : "hidden")]),
    ...named.flatMap(([word, policy]) => [
      name("see-name", word, policy === "none" ? "hidden" : null),
      name("talk-name", word, policy === "talk" || policy === "own" ? null : policy === "see" ? ACCESS_DENIED : SERVICE_UNKNOWN),
      name("own-name", word, policy === "own" ? null : policy === "none" ? SERVICE_UNKNOWN : ACCESS_DENIED),
    ]),
  ];
}

const ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied";
const SERVICE_UNKNOWN = "org.freedesktop.DBus.Error.ServiceUnknown";

export function display(facts: SandboxFacts): Statement {
  const { makers, runtime } = facts.traits;
  const granted = facts.grants.filter(({ permission }) => permission in displaySentences);
  return {
    access: granted.length === 0 ? "denied" : "partly",
    mechanisms: [...makers, Mechanism.MOUNT_NAMESPACE, ...networkHiding(facts)],
    sentences: [
      ...(granted.length === 0
        ? ["It has no display and no sound: the sockets of X11, Wayland, PulseAudio and PipeWire are not there."]
        : granted.map(({ permission }) => displaySentences[permission] ?? "")),
      ...(facts.traits.shares.has("network")
        ? ["An X server that listens on an abstract socket is in reach with the network; its cookie only with socket=x11."]
        : []),
    ],
    observations: [
      ...observeVariables(facts, ["DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER", "XAUTHORITY"]),
      ...observeSockets(facts, granted, [
        ...["/tmp/.X11-unix/X0", `${runtime}/wayland-0`, `${runtime}/pulse/native`, `${runtime}/pipewire-0`],
      ]),
    ],
  };
}

const x11Sentence = "It has the X11 display, where every client can read what is typed and shown in all windows.";

const displaySentences: Readonly<Record<string, string>> = {
  "socket=x11": x11Sentence,
  "socket=fallback-x11": x11Sentence,
  "socket=wayland": "It has the Wayland display, where it sees its own windows only.",
  "socket=pulseaudio": "It has PulseAudio: it can play sound, and record it.",
  "socket=pipewire": "It has PipeWire: it can use sound and cameras as PipeWire lets it.",
};

function networkHiding(facts: SandboxFacts): (typeof Mechanism.NETWORK_NAMESPACE)[] {
  return facts.traits.shares.has("network") ? [] : [Mechanism.NETWORK_NAMESPACE];
}

function variable({ environment }: GuaranteeFacts, name: string): string | null {
  return environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

/** What bwrap's `--dev` makes. */
const harmlessDevices = ["full", "null", "random", "tty", "urandom", "zero"].map((name) => `/dev/${name}`);

export function devices(facts: SandboxFacts): Statement {
  const { makers } = facts.traits;
  const terminal = (probe: string, request: bigint, kernel: string): Observation =>
    observeJudgedCall(facts, probe, ["ioctl", 0, request], kernel);
  const [sti, linux] = [BigInt(TerminalRequest.TIOCSTI), BigInt(TerminalRequest.TIOCLINUX)];
  const view = facts.filesystem;
  const inDevices = view.filter(({ kind, path }) => (kind === "host" || kind === "application") && path.startsWith("/dev/"));
  const nodes = inDevices.filter(({ isDirectory }) => isDirectory !== true).map(({ path }) => path);
  const words = [...new Set(facts.grants.map(({ permission }) => permission).filter((word) => word in deviceSentences))];
  return {
    access: words.length === 0 ? "denied" : "partly",
    mechanisms: [...makers, Mechanism.MOUNT_NAMESPACE, Mechanism.CAPABILITIES, Mechanism.SECCOMP],
    sentences: [
      `It finds null, zero, full, random, urandom, tty and terminals of its own in /dev, and no other device${words.length === 0 ? "" : " but those below"}: ENOENT.`,
      ...words.map((word) => deviceSentences[word] ?? ""),
      "It cannot make device nodes: EPERM. It has no controlling terminal: ENXIO for /dev/tty.",
      "It cannot type into a terminal: EPERM for TIOCSTI and TIOCLINUX.",
    ],
    observations: [
      observe("devices", [...harmlessDevices, ...nodes].sort(compare).join(" ")),
      observeCall(facts, "make-device", ["mknodat"], "EPERM"),
      observe("open-terminal", "ENXIO"),
      observe("write /dev/null", "OK"),
      observe("read /dev/urandom", "OK"),
      ...["/dev/dri", "/dev/input", "/dev/kvm", "/dev/mem", "/dev/snd", "/dev/fuse", "/dev/net/tun"]
        .filter((path) => !isVisible(view, path))
        .map((path) => observe(`read ${path}`, "ENOENT")),
      ...inDevices.flatMap(({ path, isDirectory }) => (isDirectory === true ? [observe(`list ${path}`, Outside.SAME)] : [])),
      ...observeSockets(facts, grantsOf(facts, "socket=cups", "socket=pcsc"), []),
      terminal("tiocsti", sti, Outside.SAME),
      terminal("tiocsti-dirty", DIRTY_HIGH_WORD | sti, Outside.SAME),
      terminal("tioclinux", linux, "ENOTTY"),
      terminal("tioclinux-dirty", DIRTY_HIGH_WORD | linux, "ENOTTY"),
    ],
  };
}

const deviceSentences: Readonly<Record<string, string>> = {
  "device=dri": "It can use the GPU.",
  "device=input": "It can read what is typed and done with all input devices, as far as its user may.",
  "device=kvm": "It can run virtual machines.",
  "device=shm": "It shares /dev/shm with the host.",
  "device=usb": "It can use USB devices, as far as its user may.",
  "device=all": "It can use all devices of the host, as far as its user may.",
  "socket=cups": "It can print.",
  "socket=pcsc": "It can use smart cards.",
};

/** @param further sentences, besides those about our own list */
export function syscalls(facts: SandboxFacts, further: readonly string[]): Statement {
  const { filter, traits } = facts;
  return {
    access: "partly",
    mechanisms: [...traits.makers, Mechanism.SECCOMP],
    sentences: [...syscallSentences(facts), ...further],
    observations: [
      observe("seccomp", "2"),
      ...probedCalls.flatMap(({ name, args, kernel }): Observation[] => {
        if (!filter.has(name)) return [];
        const result = filter.of(name, ...args) ?? traits.beyondFilter(kernel);
        return result === null ? [] : [observe(`call ${name}`, result)];
      }),
      observeJudgedCall(facts, "ptrace-sibling", ["ptrace", 0x4206], Outside.SAME),
      observeJudgedCall(facts, "read-memory-of-sibling", ["process_vm_readv"], Outside.SAME),
      observeJudgedCall(facts, "take-descriptor-of-sibling", ["pidfd_getfd"], Outside.SAME),
      observeJudgedCall(facts, "personality-query", ["personality", 0xffffffff], "0"),
      observeJudgedCall(facts, "personality-set", ["personality", ADDR_NO_RANDOMIZE], "OK"),
      // −1 is what a tracer sets to skip a call: no filter kills for it
      observe("call-minus-one", filter.ofNumber(-1) ?? "ENOSYS"),
      ...otherEntrances(facts),
    ],
  };
}

/** The system calls of 32-bit programs, and of x32, which any program of x86_64 can make. */
function otherEntrances({ filter, traits }: SandboxFacts): Observation[] {
  if (filter.architecture !== "x86_64") return [];
  const seen = (verdict: string | null, kernel: string): string =>
    // of two filters the one counts that does worse
    traits.beyondFilter(null) ?? verdict ?? kernel;
  return [
    observe("i386-ptrace", seen(filter.ofSibling("ptrace", 0), Outside.SAME)),
    observe("x32-ptrace", seen(filter.ofNumber(X32_PTRACE, 0), "ENOSYS")),
  ];
}

const X32_PTRACE = 0x40000000 + 521;

function syscallSentences({ permissions }: GuaranteeFacts): string[] {
  const { syscalls: policy } = permissions;
  const common = "Calls for 32-bit programs are judged by the same list, and there are no calls of x32.";
  switch (policy.kind) {
    case "allow":
      return [`It can make the system calls that were named, and what every program needs: ${policy.errno} for others.`, common];
    case "block":
    case "default":
      return [
        "It can make every system call but those of the list: EPERM, or ENOSYS for those that programs do without.",
        ...(policy.kind === "block" ? [`More were named that it cannot make: ${policy.errno}, unless another was named.`] : []),
        "Among those of the list are mounts, namespaces, keyrings, ptrace, bpf, io_uring, perf events and userfaultfd.",
        common,
      ];
  }
}

/** @param further sentences, besides those that hold in every sandbox */
export function privileges(facts: SandboxFacts, further: readonly string[]): Statement {
  const { uid, gid } = facts.host;
  const { makers, namespaces, process } = facts.traits;
  return {
    access: "denied",
    mechanisms: [...makers, Mechanism.NO_NEW_PRIVILEGES, Mechanism.CAPABILITIES, Mechanism.USER_NAMESPACE, Mechanism.SECCOMP],
    sentences: [
      `It runs as your user (${uid}) without any capability${uid === 0 ? ", also though that is root" : ""}.`,
      "No program gives it more: set-user-ID bits and file capabilities are ignored.",
      "It can become no other user: EINVAL. It can make no namespace in which it would be root.",
      "It cannot write to the kernel's settings in /proc/sys.",
      ...further,
    ],
    observations: [
      observe("no-new-privileges", "1"),
      observe("capabilities", "none"),
      ...(process["capability-bounds"] === undefined ? [] : [observe("process capability-bounds", process["capability-bounds"])]),
      ...(namespaces.user === null ? [] : [observe("namespace user", namespaces.user)]),
      observe("user", String(uid)),
      observe("group", String(gid)),
      observeCall(facts, "change-user", ["setresuid"], "EINVAL"),
      observeCall(facts, "change-groups", ["setgroups"], "EPERM"),
      observe("set-user-id /usr", "ignored"),
      observe("set-user-id /tmp", "ignored"),
      observe("write /proc/sys/kernel/core_pattern", uid === 0 ? "EROFS" : "EACCES"),
      observeJudgedCall(facts, "clone-user-namespace", ["clone", CloneFlag.NEWUSER | CloneFlag.SIGCHLD], "ENOSPC"),
      observeJudgedCall(facts, "clone-network-namespace", ["clone", CloneFlag.NEWNET | CloneFlag.SIGCHLD], "EPERM"),
      observeJudgedCall(facts, "clone3-user-namespace", ["clone3"], "ENOSPC"),
      observeJudgedCall(facts, "unshare-user-namespace", ["unshare", CloneFlag.NEWUSER], "ENOSPC"),
    ],
  };
}

/** @param further sentences, besides those that hold in every sandbox */
export function environment(facts: SandboxFacts, further: readonly string[]): Statement {
  const names = facts.environment.map((entry) => entry.slice(0, entry.indexOf("=")));
  const { makers, namespaces, hostName, process } = facts.traits;
  const others = facts.descriptors.filter((fd) => fd > 2);
  return {
    access: "denied",
    mechanisms: [...makers, Mechanism.INIT, ...(namespaces.uts === "own" ? [Mechanism.UTS_NAMESPACE] : [])],
    sentences: [
      `It has these variables, and none else of yours: ${names.length === 0 ? "none" : names.join(", ")}.`,
      `It has the descriptors 0 to 2${others.length === 0 ? "" : ` and ${listed(others.map(String))}`}, and no other.`,
      `It begins in ${facts.directory}, with no signal blocked or ignored.`,
      hostName === null ? "It sees the host's own name." : `It takes the host for “${hostName}”.`,
      ...further,
    ],
    observations: [
      observe("variables", [...new Set(names)].sort(compare).join(" ")),
      observe("descriptors", [...new Set([0, 1, 2, ...facts.descriptors])].sort((a, b) => a - b).join(" ")),
      observe("working-directory", facts.directory),
      observe("blocked-signals", NO_SIGNAL),
      observe("ignored-signals", NO_SIGNAL),
      ...(process["umask"] === undefined ? [] : [observe("process umask", process["umask"])]),
      ...(namespaces.uts === null ? [] : [observe("namespace uts", namespaces.uts)]),
      observe("namespace time", "the host's"),
      observe("host-name", hostName ?? Outside.SAME),
    ],
  };
}

const NO_SIGNAL = "0".repeat(16);

/** RLIM_NLIMITS of include/uapi/asm-generic/resource.h. */
const RESOURCE_COUNT = 16;

/** @param further sentences, besides those about the limits that hold */
export function resources(facts: SandboxFacts, further: readonly string[]): Statement {
  const { timeout, limitFacts, traits } = facts;
  const limits = limitsWithTimeout(facts.permissions.limits, timeout);
  const held = enforcedLimits({ limits }, limitFacts).filter(({ limit }) => limit !== "tmpfs" || facts.filesystem.some(({ size }) => size !== null));
  const values = new Map(childLimits(facts.permissions).map(({ resource, soft, hard }) => [resource, `${soft} ${hard}`]));
  return {
    access: limits.size === 0 ? "granted" : "partly",
    mechanisms: [
      ...new Set(held.flatMap(({ mechanisms }) => mechanisms.map((mechanism) => limitMechanisms[mechanism]))),
      ...(traits.namespaces.cgroup === "own" ? [Mechanism.CGROUP_NAMESPACE] : []),
    ],
    sentences: [
      ...held.map(
        ({ limit, value, mechanisms, observed }) =>
          `The limit ${limit} is ${limitText(limit, value)}, by ${listed(mechanisms.map((name) => limitMechanisms[name]))}: ${observed}.`,
      ),
      ...further,
    ],
    observations: [
      ...Array.from({ length: RESOURCE_COUNT }, (_, resource) => resource)
        // init sets this one too, as a second line behind its watch
        .filter((resource) => resource !== RLIMIT_NPROC || !(limits.has("processes") || limits.has("memory")))
        .filter((resource) => values.has(resource) || traits.otherLimits === "inherited")
        .map((resource) => observe(`limit ${resource}`, values.get(resource) ?? Outside.SAME)),
      ...(values.get(Resource.CORE) === "1 1"
        ? [observe("process core-dump", "none")]
        : traits.otherLimits === "inherited"
          ? [observe("process core-dump", Outside.SAME)]
          : []),
      ...(traits.namespaces.cgroup === null ? [] : [observe("namespace cgroup", traits.namespaces.cgroup)]),
      ...(traits.process["control-group"] === undefined ? [] : [observe("process control-group", traits.process["control-group"])]),
    ],
  };
}

const RLIMIT_NPROC = 6;

const limitMechanisms: Readonly<Record<LimitMechanism, Mechanism>> = {
  scope: Mechanism.CGROUP,
  watch: Mechanism.INIT,
  rlimit: Mechanism.RLIMIT,
  mount: Mechanism.TMPFS_SIZE,
  timer: Mechanism.INIT,
};

function limitText(limit: Limit, value: number): string {
  switch (limit) {
    case "cpu-time":
      return `${value} s of CPU time`;
    case "timeout":
      return `${value} ms`;
    case "open-files":
    case "processes":
      return String(value);
    default:
      return bytesText(value);
  }
}

export function lifetime({ traits }: SandboxFacts): Statement {
  const parent = String(traits.init);
  return {
    access: "denied",
    mechanisms: [Mechanism.PID_NAMESPACE, Mechanism.INIT],
    sentences: [
      "It lives no longer than the program that launched it, and neither does anything that it started.",
      `What loses its parent gets process ${parent} as its parent, and cannot leave the sandbox.`,
    ],
    observations: [observe("parent", parent), observe("orphan-parent", parent)],
  };
}

/** “a, b and c” */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
