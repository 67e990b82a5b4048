import type { SandboxDirectories } from "../subprocess/environment.js";
import { DEFAULT_PATH } from "../subprocess/environment.js";
import type { HostFacts, ResolvedMount } from "./host-facts.js";

/** Arguments of bwrap that need data in a descriptor: the planner puts its number in. */
export type Operation =
  | readonly string[]
  | { readonly file: string; readonly bytes: Uint8Array; readonly mode: "0444" | "0600" };

/** The directories of a child in a bubblewrap sandbox. */
export function sandboxDirectories(uid: number): SandboxDirectories {
  return {
    home: "/home/user",
    runtime: `/run/user/${uid}`,
    programs: DEFAULT_PATH,
    configuration: "/etc/xdg",
    data: "/usr/local/share:/usr/share",
  };
}

/** What `tmpfs` may hold unless a limit says otherwise: bytes for each of the private directories. */
export const DEFAULT_TMPFS_SIZE = 256 * 1024 * 1024;

/**
 * The least that programs need to run: /usr, the links into it, what the dynamic linker and Debian's alternatives read,
 * /proc, /dev, and private, empty, bounded /tmp, home and runtime directories. The mime database and the loaders of
 * GdkPixbuf come with /usr.
 *
 * @param tmpfsSize null for a template: nothing is mounted where each sandbox gets something of its own
 * @param devices what is made in /dev besides the basic nodes: see `sharedMemory()`
 */
export function rootFilesystem(host: HostFacts, tmpfsSize: number | null, devices: readonly Operation[]): Operation[] {
  const { home, runtime } = sandboxDirectories(host.uid);
  return [
    // else bwrap makes them as it needs them, and for its user only
    ...["/etc", "/home", "/run", "/run/user", "/var"].map((path) => ["--dir", path]),
    ["--ro-bind", "/usr", "/usr"],
    ...host.systemDirectories.map(systemDirectory),
    ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"],
    ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"],
    { file: "/etc/passwd", bytes: accounts(passwd(host, home)), mode: "0444" },
    { file: "/etc/group", bytes: accounts(group(host)), mode: "0444" },
    ["--proc", "/proc"],
    ...(tmpfsSize === null ? [] : hostSettings.map((path) => ["--ro-bind-try", path, path])),
    ["--dev", "/dev"],
    ...devices,
    ["--remount-ro", "/dev"],
    privateDirectory("/tmp", tmpfsSize),
    ["--symlink", "../tmp", "/var/tmp"],
    ["--symlink", "../run", "/var/run"],
    privateDirectory(home, tmpfsSize),
    privateDirectory(runtime, tmpfsSize),
  ];
}

/** Shared memory of the child's own. */
export function sharedMemory(tmpfsSize: number | null): Operation {
  return privateDirectory("/dev/shm", tmpfsSize);
}

function privateDirectory(path: string, size: number | null): Operation {
  const mode = privateMode(path);
  return size === null ? ["--perms", mode, "--dir", path] : ["--perms", mode, "--size", String(size), "--tmpfs", path];
}

/** What mount options a private directory has, for those who do not make it with bwrap. */
export function privateOptions(path: string, tmpfsSize: number): string {
  return `mode=${privateMode(path)},size=${tmpfsSize}`;
}

function privateMode(path: string): string {
  return path === "/tmp" || path === "/dev/shm" ? "1777" : "0700";
}

/** The directories that are file systems in memory and the sandbox's own: none that a granted path lies over. */
export function ownDirectories(
  uid: number,
  mounts: readonly ResolvedMount[],
): readonly string[] {
  const { home, runtime } = sandboxDirectories(uid);
  const isCovered = (directory: string): boolean =>
    mounts.some(({ path }) => directory === path || directory.startsWith(path === "/" ? path : `${path}/`));
  return ["/dev/shm", "/tmp", home, runtime].filter((directory) => !isCovered(directory));
}

/** What name look-ups and TLS read, for a child that shares the host's network. */
export function networkFiles(): Operation[] {
  const paths = [
    ...["/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf"],
    ...["/etc/services", "/etc/protocols", "/etc/ssl/certs", "/etc/ca-certificates", "/etc/pki/tls/certs"],
  ];
  return paths.map((path) => ["--ro-bind-try", path, path]);
}

/**
 * What in /proc belongs to the whole system. Without capabilities root may still write to it, as the files' owner
 * (net/sysctl_net.c, fs/proc/proc_sysctl.c), so that a child of root could set the host's kernel.core_pattern; and bwrap
 * covers only those of the directories that it finds writable themselves.
 */
export const hostSettings: readonly string[] = ["sys", "acpi", "asound", "driver", "fs", "mtrr", "scsi", "sysrq-trigger"].map(
  (name) => `/proc/${name}`,
);

/** What bwrap itself lets be read only, of its --proc (bubblewrap.c). */
export const bubblewrapCovers: readonly string[] = ["sys", "sysrq-trigger", "irq", "bus"].map((name) => `/proc/${name}`);

/** Arguments of bwrap for /bin and its like. */
export function systemDirectory({ path, linkTarget }: HostFacts["systemDirectories"][number]): readonly string[] {
  return linkTarget === null ? ["--ro-bind", path, path] : ["--symlink", linkTarget, path];
}

const NOBODY = 65534;

function passwd({ uid, gid }: HostFacts, home: string): string[] {
  const user = uid === 0 ? "root" : "user";
  return [
    `${user}:x:${uid}:${gid}:${user}:${home}:/bin/sh`,
    ...(uid === NOBODY ? [] : [`nobody:x:${NOBODY}:${NOBODY}:nobody:/nonexistent:/usr/sbin/nologin`]),
  ];
}

function group({ gid }: HostFacts): string[] {
  return [`${gid === 0 ? "root" : "user"}:x:${gid}:`, ...(gid === NOBODY ? [] : [`nogroup:x:${NOBODY}:`])];
}

function accounts(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}
