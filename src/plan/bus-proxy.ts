import { checkBusName, covers } from "../permissions/bus-name.js";
import type { BusPolicy, PermissionSet } from "../permissions/permission-set.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { BubblewrapFacts } from "./bubblewrap-facts.js";
import type { HostFacts } from "./host-facts.js";
import type { PlannedDescriptor } from "./launch-plan.js";
import { systemDirectory } from "./root-filesystem.js";

export type BusName = "session" | "system" | "a11y";

/** A bus that the child reaches through xdg-dbus-proxy. */
export interface ProxiedBus {
  readonly bus: BusName;
  /** Options of xdg-dbus-proxy that follow the bus's address and path: see xdg-dbus-proxy(1). */
  readonly rules: readonly string[];
  /** Where the child sees it. */
  readonly target: string;
}

/** Who the child is to portals, in the words of a Flatpak instance: they hold a client without that for the host itself. */
export interface SandboxIdentity {
  /** `[Application] name`: portals remember what the user allowed by it. */
  readonly application: string;
  /** `[Instance] instance-id`: unique among the user's sandboxes, without a slash. */
  readonly instance: string;
}

/** The name of children that nobody has given another. */
export const DEFAULT_APPLICATION = "io.github.gio_sandbox.Child";

/**
 * The rules for the session bus; null if the child is not to reach it, or all of it.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for what is no name of a bus client
 */
export function sessionBusRules(permissions: PermissionSet): readonly string[] | null {
  const { sessionBus, portals, sockets } = permissions;
  if (sockets.has("session-bus")) return null;
  const rules = [...policyRules(sessionBus), ...(portals ? portalRules : [])];
  return rules.length === 0 ? null : ["--filter", ...rules];
}

/** The rules for the system bus, as those for the session bus. */
export function systemBusRules({ systemBus, sockets }: PermissionSet): readonly string[] | null {
  if (sockets.has("system-bus")) return null;
  const rules = policyRules(systemBus);
  return rules.length === 0 ? null : ["--filter", ...rules];
}

/** `--broadcast` for the answers of portals, which come as signals of their request objects. */
const portalRules = [
  "--call=org.freedesktop.portal.*=*",
  "--broadcast=org.freedesktop.portal.*=@/org/freedesktop/portal/*",
];

/**
 * To offer itself to assistive technology, and to be asked, but not to look at other programs: the calls that Flatpak
 * lets through (flatpak-run.c). Clients there call each other by unique names, which have to be visible therefore.
 */
export const a11yBusRules: readonly string[] = [
  ...["--filter", "--sloppy-names"],
  ...[
    "org.a11y.atspi.Socket.Embed@/org/a11y/atspi/accessible/root",
    "org.a11y.atspi.Socket.Unembed@/org/a11y/atspi/accessible/root",
    "org.a11y.atspi.Registry.GetRegisteredEvents@/org/a11y/atspi/registry",
    "org.a11y.atspi.DeviceEventController.GetKeystrokeListeners@/org/a11y/atspi/registry/deviceeventcontroller",
    "org.a11y.atspi.DeviceEventController.GetDeviceEventListeners@/org/a11y/atspi/registry/deviceeventcontroller",
    "org.a11y.atspi.DeviceEventController.NotifyListenersSync@/org/a11y/atspi/registry/deviceeventcontroller",
    "org.a11y.atspi.DeviceEventController.NotifyListenersAsync@/org/a11y/atspi/registry/deviceeventcontroller",
  ].map((rule) => `--call=org.a11y.atspi.Registry=${rule}`),
  ...["EventListenerRegistered", "EventListenerDeregistered"].map(
    (signal) => `--broadcast=org.a11y.atspi.Registry=org.a11y.atspi.Registry.${signal}@/org/a11y/atspi/registry`,
  ),
];

/** Policies add up: the proxy gives a name the most that any of them allows. */
function policyRules(policies: ReadonlyMap<string, BusPolicy>): string[] {
  for (const [name, policy] of policies) {
    checkBusName(name);
    if (policy === "none") checkNotCovered(name, policies);
  }
  return [...policies].filter(([, policy]) => policy !== "none").map(([name, policy]) => `--${policy}=${name}`);
}

function checkNotCovered(name: string, policies: ReadonlyMap<string, BusPolicy>): void {
  const [other, policy] = [...policies].find(([outer, given]) => given !== "none" && covers(outer, name)) ?? [];
  if (other === undefined) return;
  throw sandboxError(
    "NOT_ENFORCEABLE",
    `The bus name ${name} cannot be kept from the child while “${other}=${policy ?? ""}” includes it: xdg-dbus-proxy can ` +
      "only add. Name those that are wanted one by one.",
  );
}

/** The content of /.flatpak-info (flatpak-metadata(5), “Application”, “Instance”, “Context”). */
export function flatpakInfo(identity: SandboxIdentity, permissions: PermissionSet): Uint8Array {
  const shared = permissions.shared.has("network") ? "network;" : "";
  return new TextEncoder().encode(
    `[Application]\nname=${identity.application}\n\n[Instance]\ninstance-id=${identity.instance}\n` +
      `session-bus-proxy=true\nsystem-bus-proxy=true\n\n[Context]\nshared=${shared}\n`,
  );
}

export const FLATPAK_INFO = "/.flatpak-info";

/**
 * The content of `$XDG_RUNTIME_DIR/.flatpak/INSTANCE/bwrapinfo.json`, by which portals translate the child's process ids.
 *
 * @param pid the first process of the sandbox, as the host sees it
 */
export function bubblewrapInfo(pid: number): string {
  return `{\n    "child-pid": ${pid}\n}\n`;
}

/** The socket of a bus on the host. */
export type BusUpstream =
  /** The place of its O_PATH descriptor in the shell's list. */
  | { readonly kind: "path"; readonly descriptor: number }
  | { readonly kind: "abstract"; readonly name: string };

export interface BusProxyRequest {
  readonly host: HostFacts;
  readonly bubblewrap: BubblewrapFacts;
  /** The path of xdg-dbus-proxy, below /usr. */
  readonly proxy: string;
  readonly buses: readonly { readonly proxied: ProxiedBus; readonly upstream: BusUpstream }[];
  /** The path of a private directory, which is made, and goes when the proxy ends. Nobody else can know its name. */
  readonly directory: string;
  /** The same for the directory of `bwrapinfo.json`; null for none. */
  readonly infoDirectory: string | null;
  /** The content of /.flatpak-info; null for none. */
  readonly info: Uint8Array | null;
}

/** How to start the proxy. */
export interface BusProxyPlan {
  readonly program: string;
  readonly argv: readonly string[];
  readonly descriptors: readonly BusProxyDescriptor[];
}

export type BusProxyDescriptor =
  | Extract<PlannedDescriptor, { readonly kind: "null" | "diagnostics" | "data" }>
  /** The end of a pipe to which the proxy writes a byte when it listens. It exits when nobody reads there any more. */
  | { readonly kind: "ready" }
  /** A bus's socket on the host: an index into the shell's list of O_PATH descriptors. */
  | { readonly kind: "upstream"; readonly index: number };

/**
 * The plan for one xdg-dbus-proxy in a sandbox of its own: it parses what a hostile child sends. It sees the libraries that
 * it needs, its directory, and the sockets of the buses, and has a network only if a bus is reached by an abstract name.
 *
 * The shell of the system starts it, and stays to clean up when it has ended, which is also when the launching program
 * was killed. What is removed is found by descriptors.
 */
export function planBusProxy(request: BusProxyRequest): BusProxyPlan {
  return new ProxyBuilder(request).build();
}

/** The name of a bus's socket in the private directory. */
export function busSocketName(bus: BusName): string {
  return bus;
}

export const BUBBLEWRAP_INFO = "bwrapinfo.json";

// Where things are in the proxy's sandbox.
const DIRECTORY = "/run/proxy";
const UPSTREAMS = "/run/upstream";

/** Fixed, and below 10, because sh(1) cannot open and close others. */
const Descriptor = { READY: "3", DIRECTORY: "4", INFO_DIRECTORY: "5" } as const;

/**
 * $1: the private directory; $2: the directory of bwrapinfo.json, or nothing. They are never there without a process that
 * removes them, and what is in them is removed by descriptor. Neither is left open to the proxy, except through its sandbox.
 */
const guard = `PATH=/usr/bin:/bin
umask 077
trap "" HUP INT TERM
directory=$1 info=$2
shift 2
if mkdir -- "$directory" && cd -P -- "$directory" && exec ${Descriptor.DIRECTORY}<. && {
  [ -z "$info" ] || { mkdir -p -- "\${info%/*}" && mkdir -- "$info" && exec ${Descriptor.INFO_DIRECTORY}<"$info"; }
}; then
  "$@" ${Descriptor.INFO_DIRECTORY}<&-
  status=$?
  rm -f -- session system a11y
  [ -z "$info" ] || { cd -P /proc/self/fd/${Descriptor.INFO_DIRECTORY} && rm -f -- ${BUBBLEWRAP_INFO}; }
else
  status=1
fi
cd /
rmdir -- "$directory" 2>/dev/null
[ -z "$info" ] || rmdir -- "$info" 2>/dev/null
exit "$status"
`;

/** Closes the directory, which an older bwrap leaves open: from there ways lead to all of the host. */
const closing = ["/bin/sh", "-c", `exec "$@" ${Descriptor.DIRECTORY}<&-`, "sh"];

class ProxyBuilder {
  readonly #request: BusProxyRequest;
  readonly #descriptors: BusProxyDescriptor[] = [
    ...([{ kind: "null" }, { kind: "null" }, { kind: "diagnostics" }, { kind: "ready" }] as const),
    // the places of the two directories
    ...([{ kind: "null" }, { kind: "null" }] as const),
  ];

  constructor(request: BusProxyRequest) {
    this.#request = request;
  }

  build(): BusProxyPlan {
    const { bubblewrap, proxy, directory, infoDirectory } = this.#request;
    const proxyArguments = this.#add({ kind: "data", bytes: argumentData(this.#proxyWords()) });
    const sandboxArguments = this.#add({ kind: "data", bytes: argumentData(this.#sandboxWords()) });
    const before = bubblewrap.options.has("--bind-fd") ? [] : closing;
    const command = [...before, proxy, `--fd=${Descriptor.READY}`, `--args=${proxyArguments}`];
    return {
      program: "/bin/sh",
      argv: [
        ...["-c", guard, "sh", directory, infoDirectory ?? ""],
        ...[bubblewrap.path, "--args", sandboxArguments, "--", ...command],
      ],
      descriptors: this.#descriptors,
    };
  }

  #add(descriptor: BusProxyDescriptor): string {
    return String(this.#descriptors.push(descriptor) - 1);
  }

  #proxyWords(): string[] {
    return this.#request.buses.flatMap(({ proxied: { bus, rules }, upstream }) => [
      upstream.kind === "path" ? `unix:path=${UPSTREAMS}/${bus}` : `unix:abstract=${addressValue(upstream.name)}`,
      `${DIRECTORY}/${busSocketName(bus)}`,
      ...rules,
    ]);
  }

  #sandboxWords(): string[] {
    const { host, buses, info } = this.#request;
    const hasAbstract = buses.some(({ upstream }) => upstream.kind === "abstract");
    const upstreams = buses.flatMap(({ proxied: { bus }, upstream }) =>
      upstream.kind === "abstract"
        ? []
        : this.#bind("--ro-bind", this.#add({ kind: "upstream", index: upstream.descriptor }), `${UPSTREAMS}/${bus}`),
    );
    const infoWords =
      info === null ? [] : ["--perms", "0444", "--file", this.#add({ kind: "data", bytes: info }), FLATPAK_INFO];
    return [
      ...["--unshare-all", "--unshare-user", ...(hasAbstract ? ["--share-net"] : [])],
      // Not --die-with-parent, for the reason in bubblewrap.ts: the proxy ends with the pipe.
      ...["--disable-userns", "--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL", "--hostname", "bus-proxy"],
      ...["--ro-bind", "/usr", "/usr", ...host.systemDirectories.flatMap(systemDirectory)],
      ...["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--dir", "/run"],
      ...this.#bind("--bind", Descriptor.DIRECTORY, DIRECTORY),
      ...upstreams,
      ...infoWords,
      ...["--remount-ro", "/", "--chdir", "/"],
    ];
  }

  #bind(option: string, fd: string, path: string): string[] {
    return this.#request.bubblewrap.options.has(`${option}-fd`)
      ? [`${option}-fd`, fd, path]
      : [option, `/proc/self/fd/${fd}`, path];
  }
}

function argumentData(words: readonly string[]): Uint8Array {
  return new TextEncoder().encode(words.map((word) => `${word}\0`).join(""));
}

/** A value in a bus address (“Server Addresses” in the D-Bus specification). */
export function addressValue(value: string): string {
  return [...new TextEncoder().encode(value)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[-0-9A-Za-z_/.*]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}
