import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import { homedir, hostname } from "node:os";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { env } from "node:process";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { BusSocket, DesktopFacts, DeviceEntry, GraphicsNode } from "../plan/host-facts.js";
import { noDesktopFacts } from "../plan/host-facts.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { parseBusAddress, wellKnownBusAddress } from "./bus/address.js";
import { connectToBus } from "./bus/bus.js";

/** What granted file systems depend on. */
export function filesystemFacts({ filesystems }: PermissionSet): DesktopFacts {
  const hasWords = filesystems.some(({ path }) => !path.startsWith("/"));
  const home = homeDirectory();
  return {
    ...noDesktopFacts,
    environment: env,
    home,
    rootEntries: filesystems.some(({ path }) => path === "host") ? readdirSync("/") : [],
    userDirectories: hasWords ? userDirectories(home) : null,
  };
}

/**
 * What the permissions depend on. The address of the accessibility bus is asked for on the session bus.
 *
 * @throws GLibError `g-io-error-quark` INVALID_ARGUMENT for a bus address that is none
 */
export async function desktopFacts(permissions: PermissionSet): Promise<DesktopFacts> {
  return { ...localDesktopFacts(permissions), a11yBus: permissions.a11y ? await a11yBus() : [] };
}

/** Those that can be read at once: all but the address of the accessibility bus. */
export function localDesktopFacts(permissions: PermissionSet): DesktopFacts {
  const { sockets, devices, sessionBus, systemBus, portals } = permissions;
  const filesystem = filesystemFacts(permissions);
  const hasX = sockets.has("x11") || sockets.has("fallback-x11");
  const hasGraphics = devices.has("dri") || devices.has("all");
  const home = filesystem.home;
  return {
    ...filesystem,
    hostname: hostname(),
    devices: devices.size > 0 ? deviceEntries() : [],
    graphics: hasGraphics ? graphicsNodes() : [],
    xAuthority: hasX ? smallFile(env["XAUTHORITY"] ?? join(home, ".Xauthority")) : null,
    pulseCookie: sockets.has("pulseaudio") ? pulseCookie(home) : null,
    abstractSockets: hasX && permissions.shared.has("network") ? abstractSockets() : new Set(),
    sessionBus: sockets.has("session-bus") || sessionBus.size > 0 || portals ? wellKnownBus("session") : [],
    systemBus: sockets.has("system-bus") || systemBus.size > 0 ? wellKnownBus("system") : [],
    a11yBus: [],
  };
}

/** A user without one has none that could be granted, and the error says this name then. */
const NO_HOME = "/nonexistent";

function homeDirectory(): string {
  try {
    const home = normalize(homedir()).replace(/(?<=.)\/$/, "");
    return isAbsolute(home) ? home : NO_HOME;
  } catch {
    return NO_HOME;
  }
}

function userDirectories(home: string): string | null {
  const configuration = env["XDG_CONFIG_HOME"] ?? "";
  const bytes = smallFile(join(configuration.startsWith("/") ? configuration : join(home, ".config"), "user-dirs.dirs"));
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

function pulseCookie(home: string): Uint8Array | null {
  const named = env["PULSE_COOKIE"];
  if (named !== undefined) return smallFile(named);
  return smallFile(join(home, ".config/pulse/cookie")) ?? smallFile(join(home, ".pulse-cookie"));
}

const MAX_FILE = 1 << 20;

/** The content of a file of the user's, or null: one that cannot be read, is no file, or is far too large is none. */
function smallFile(path: string): Uint8Array | null {
  try {
    const { O_RDONLY, O_NONBLOCK } = constants;
    const file = openSync(path, O_RDONLY | O_NONBLOCK);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile() || stats.size > MAX_FILE) return null;
      const bytes = new Uint8Array(stats.size);
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

function deviceEntries(): DeviceEntry[] {
  return readdirSync("/dev", { withFileTypes: true }).flatMap((entry): DeviceEntry[] => {
    if (entry.isDirectory()) return [{ name: entry.name, kind: "directory" }];
    return entry.isCharacterDevice() || entry.isBlockDevice() ? [{ name: entry.name, kind: "node" }] : [];
  });
}

function graphicsNodes(): GraphicsNode[] {
  return entriesOf("/dev/dri").flatMap((name): GraphicsNode[] => {
    const stats = lstatSync(join("/dev/dri", name), { throwIfNoEntry: false });
    if (stats?.isCharacterDevice() !== true) return [];
    const number = `${major(stats.rdev)}:${minor(stats.rdev)}`;
    const link = join("/sys/dev/char", number);
    try {
      return [{ number, description: join(dirname(link), readlinkSync(link)), device: realpathSync(join(link, "device")) }];
    } catch {
      // a sysfs that is hidden from us is hidden from drivers too
      return [];
    }
  });
}

/** makedev(3) of glibc and musl. */
function major(device: number): number {
  return Number(((BigInt(device) >> 8n) & 0xfffn) | ((BigInt(device) >> 32n) & 0xfffff000n));
}

function minor(device: number): number {
  return Number((BigInt(device) & 0xffn) | ((BigInt(device) >> 12n) & 0xffffff00n));
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Listening sockets with an abstract name: /proc/net/unix, where SO_ACCEPTCON (0x10000) is the flag of those (proc(5)). */
function abstractSockets(): ReadonlySet<string> {
  try {
    const lines = readFileSync("/proc/net/unix", "latin1").matchAll(/^\S+ \S+ \S+ 00010000 .* @(.+)$/gm);
    return new Set([...lines].map((match) => match[1] ?? ""));
  } catch {
    return new Set();
  }
}

function wellKnownBus(bus: "session" | "system"): BusSocket[] {
  // an environment that names none is what the planner complains of
  if (bus === "session" && (env["DBUS_SESSION_BUS_ADDRESS"] ?? "") === "" && (env["XDG_RUNTIME_DIR"] ?? "") === "") return [];
  return socketsOf(wellKnownBusAddress(bus, env));
}

/** Those of an address that we could connect to: transports of other kinds do not lead into a sandbox. */
function socketsOf(address: string): BusSocket[] {
  const entries = parseBusAddress(address);
  return entries.flatMap((entry) =>
    entry.kind === "unusable" ? [] : [{ kind: entry.kind, name: new TextDecoder().decode(entry.name) }],
  );
}

async function a11yBus(): Promise<BusSocket[]> {
  const named = env["AT_SPI_BUS_ADDRESS"] ?? "";
  if (named !== "") return socketsOf(named);
  try {
    using bus = await connectToBus("session");
    const call = { destination: "org.a11y.Bus", path: "/org/a11y/bus", interface: "org.a11y.Bus", member: "GetAddress" };
    const [address] = await bus.call({ ...call, timeout: A11Y_TIMEOUT });
    return typeof address === "string" ? socketsOf(address) : [];
  } catch (cause) {
    throw sandboxError("NOT_AVAILABLE", "a11y: there is no accessibility bus: org.a11y.Bus on the session bus gives no address", { cause });
  }
}

/** Milliseconds: the service is started if it does not run. */
const A11Y_TIMEOUT = 5000;
