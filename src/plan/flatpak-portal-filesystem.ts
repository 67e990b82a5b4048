import type { PermissionSet } from "../permissions/permission-set.js";
import type { SandboxDirectories } from "../subprocess/environment.js";
import type { DesktopGrant, DesktopPlan } from "./desktop-plan.js";
import { deviceParts } from "./devices.js";
import type { FilesystemEntry, FilesystemView } from "./filesystem-view.js";
import { linkedPath } from "./filesystem-view.js";
import { isInEverySandbox } from "./flatpak-paths.js";
import type { DesktopFacts, HostFacts, ResolvedMount } from "./host-facts.js";
import { noDesktopFacts } from "./host-facts.js";

/** What the picture of a portal's sandbox follows from. */
export interface PortalFilesystemFacts {
  /** The application's own, and so its children's. */
  readonly host: HostFacts;
  readonly permissions: PermissionSet;
  readonly directories: SandboxDirectories;
  readonly mounts: readonly ResolvedMount[];
  readonly desktop: DesktopPlan;
  /** The symbolic links in the application's XDG_RUNTIME_DIR: path → what it says. */
  readonly links: ReadonlyMap<string, string>;
  /** What the application has in /dev. */
  readonly devices: DesktopFacts["devices"];
}

/**
 * The file system of a sandbox that Flatpak makes: flatpak-run.c, `flatpak_run_setup_base_argv()` and what follows it for an
 * instance without permissions. One file system in memory holds all that is not of the application or granted.
 */
export function portalFilesystem(facts: PortalFilesystemFacts): FilesystemView {
  const { host, permissions, directories, mounts, desktop, links } = facts;
  const { home, runtime } = directories;
  const entries: EntryDetails[] = [
    { path: "/", kind: "private", writable: true },
    { path: "/.flatpak-info", kind: "file", writable: false, mode: 0o600 },
    { path: "/app", kind: "application", source: "/app" },
    { path: "/usr", kind: "application", source: "/usr" },
    ...host.systemDirectories.map(({ path, linkTarget }): EntryDetails => {
      return linkTarget === null ? { path, kind: "application", source: path } : { path, kind: "link", source: linkTarget };
    }),
    { path: "/proc", kind: "processes", writable: true },
    { path: "/dev", kind: "devices", writable: true },
    ...["/etc", "/run/host", "/run/flatpak/.flatpak", "/sys"].map((path): EntryDetails => ({ path, kind: "flatpak", writable: true })),
    // by which other instances join the user namespace
    { path: "/run/.userns", kind: "flatpak", source: "/run/.userns", optional: true },
    ...["block", "bus", "class", "dev", "devices"].map((name) => ownOfApplication(`/sys/${name}`)),
    ...["/dev/shm", "/run", "/tmp", "/tmp/.X11-unix", "/var", "/var/tmp", runtime, home].map(ownDirectory),
    ...desktop.grants.flatMap((grant) => socketEntries(grant, links)),
    ...desktop.variables.flatMap(({ name, value }) => (fileVariables.has(name) ? [ownOfApplication(value)] : [])),
    ...grantedDevices(facts),
    ...(permissions.sockets.has("pulseaudio") ? [ownOfApplication("/dev/snd")] : []),
    ...mounts
      .filter(({ path }) => !isInEverySandbox(path))
      .map(({ path, writable }): EntryDetails => ({ path, kind: "host", writable, source: path })),
  ];
  // the root is the home directory of who has none
  const byPath = new Map(entries.map((entry) => [entry.path, completed(entry)]));
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Variables whose values are files that Flatpak makes for those who have the socket. */
const fileVariables: ReadonlySet<string> = new Set(["XAUTHORITY", "PULSE_CLIENTCONFIG"]);

function ownDirectory(path: string): EntryDetails {
  return { path, kind: "directory", writable: true };
}

/** What is there if the application has it. */
function ownOfApplication(path: string): EntryDetails {
  return { path, kind: "application", source: path, optional: true };
}

/** A socket, and the links by which it is found under other names: Flatpak makes them alike in each instance that has it. */
function socketEntries({ target }: DesktopGrant, links: ReadonlyMap<string, string>): EntryDetails[] {
  if (target === null) return [];
  const place = linkedPath(target, links.get(target) ?? target);
  const leading = [...links].filter(([path, to]) => {
    const end = linkedPath(path, to);
    return place === end || place.startsWith(`${end}/`);
  });
  return [
    { path: place, kind: "socket" },
    ...leading.map(([path, source]): EntryDetails => ({ path, kind: "link", source })),
  ];
}

/** The portal gives what Flatpak has under the name of the device: the same that we look for. */
function grantedDevices({ permissions, devices }: PortalFilesystemFacts): EntryDetails[] {
  const parts = deviceParts(permissions, { ...noDesktopFacts, devices });
  return parts.flatMap(({ target }) => (target === null ? [] : [{ ...ownOfApplication(target), writable: true }]));
}

type EntryDetails = Pick<FilesystemEntry, "path" | "kind"> & Partial<FilesystemEntry>;

function completed(entry: EntryDetails): FilesystemEntry {
  return { writable: false, source: null, mode: null, size: null, optional: false, isDirectory: null, ...entry };
}
