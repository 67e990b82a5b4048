import { mountPath } from "../permissions/mount-path.js";
import type { FilesystemGrant, PermissionSet } from "../permissions/permission-set.js";
import { ErrorDomain, GLibError, sandboxError, SandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { DesktopFacts, HostFacts } from "./host-facts.js";
import { systemDirectoryPaths } from "./host-facts.js";
import type { HostPart, WantedPath } from "./host-path.js";
import { sandboxDirectories } from "./root-filesystem.js";
import type { UserDirectoryWord } from "./user-directories.js";
import { parseUserDirectories, userDirectoryNames } from "./user-directories.js";

/**
 * The paths of the host that grants mean, Flatpak's words looked up (flatpak-metadata(5), “filesystems”).
 *
 * What is granted is seen at the path that it has on the host, so that a name that is good outside is good inside. Four
 * words differ, as with Flatpak: `xdg-run` is in the child's own runtime directory, `host-os` and `host-etc` are below
 * /run/host, and `host` leaves out what a sandbox has of its own.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE for a word that means nothing for this user,
 *   INVALID_PERMISSION for what cannot be granted
 */
export function filesystemParts(
  { filesystems, optionalFilesystems }: PermissionSet,
  host: HostFacts,
  desktop: DesktopFacts,
): readonly HostPart[] {
  return filesystems.flatMap((grant) => {
    const places = optionalFilesystems.has(grant.path)
      ? placesIfAny(grant.path, host, desktop).map((place) => ({ ...place, presence: "optional" }) as const)
      : placesOf(grant.path, host, desktop);
    return places.map((place) => part(grant, place));
  });
}

/** The paths of the host that must not be seen, and where they would be. What is not there now is not looked out for. */
export function hiddenPlaces(
  { hiddenPaths }: PermissionSet,
  host: HostFacts,
  desktop: DesktopFacts,
): readonly { readonly wanted: WantedPath; readonly target: string }[] {
  return hiddenPaths.flatMap((path) =>
    placesIfAny(path, host, desktop).map(({ source, target }) => ({
      wanted: { permission: `filesystem=!${path}`, candidates: [source], type: "any", ifMissing: "skip" },
      target: target ?? source,
    })),
  );
}

/** None for a word that means nothing for this user. */
function placesIfAny(path: string, host: HostFacts, desktop: DesktopFacts): readonly Place[] {
  try {
    return placesOf(path, host, desktop);
  } catch (error) {
    if (error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.NOT_AVAILABLE)) return [];
    throw error;
  }
}

interface Place {
  readonly source: string;
  /** Null: the same as `source`. */
  readonly target: string | null;
  /** Whether it may be missing: true of what a word means besides other things. */
  readonly presence: "needed" | "optional";
  /** Whatever the grant says, if it is here. */
  readonly access?: "ro";
}

function part({ path, mode }: FilesystemGrant, { source, target, presence, access }: Place): HostPart {
  const ifMissing = presence === "optional" ? "skip" : mode === "create" ? "create" : "fail";
  return {
    wanted: { permission: `filesystem=${path}`, candidates: [source], type: "any", ifMissing },
    target: target ?? source,
    access: access ?? (mode === "ro" ? "ro" : "rw"),
    missing: null,
  };
}

function placesOf(path: string, host: HostFacts, desktop: DesktopFacts): readonly Place[] {
  if (path.startsWith("/")) return [needed(path)];
  const slash = path.indexOf("/");
  const word = slash < 0 ? path : path.slice(0, slash);
  const rest = slash < 0 ? "" : path.slice(slash);
  if (rest === "" && word in wholeWords) return wholeWords[word]?.(host, desktop) ?? [];
  if (word === "xdg-run") {
    const { runtime } = sandboxDirectories(host.uid);
    return [{ ...needed(runtimeDirectory(desktop) + rest), target: mountPath(runtime + rest) }];
  }
  return [needed(directoryOf(word, desktop) + rest)];
}

function needed(path: string): Place {
  return { source: mountPath(path), target: null, presence: "needed" };
}

function optional(source: string, target: string | null = null): Place {
  return { source: mountPath(source), target, presence: "optional" };
}

/** Words that stand alone and mean several paths. */
const wholeWords: Readonly<Record<string, (host: HostFacts, desktop: DesktopFacts) => readonly Place[]>> = {
  host: (_host, desktop) => [
    ...desktop.rootEntries.filter((name) => !ownOfSandbox.has(name)).map((name) => optional(`/${name}`)),
    optional(desktop.home),
    optional("/run/media"),
  ],
  "host-os": ({ systemDirectories }) => [
    ...["/usr", ...systemDirectories.map(({ path }) => path), "/etc/ld.so.cache", "/etc/alternatives"].map((path) =>
      optional(path, `/run/host${path}`),
    ),
  ],
  "host-etc": () => [{ ...needed("/etc"), target: "/run/host/etc" }],
  "host-fonts": (_host, desktop) =>
    [
      ...["/etc/fonts", "/var/cache/fontconfig", `${desktop.home}/.fonts`, `${dataHome(desktop)}/fonts`],
      ...[`${configHome(desktop)}/fontconfig`, `${cacheHome(desktop)}/fontconfig`],
    ].map((path) => ({ ...optional(path), access: "ro" })),
};

/** In the root directory: what a sandbox has of its own, or must not have of the host's. */
const ownOfSandbox: ReadonlySet<string> = new Set([
  ...systemDirectoryPaths.map((path) => path.slice(1)),
  ...["app", "boot", "dev", "efi", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var"],
]);

function directoryOf(word: string, desktop: DesktopFacts): string {
  switch (word) {
    case "~":
    case "home":
      return desktop.home;
    case "xdg-data":
      return dataHome(desktop);
    case "xdg-config":
      return configHome(desktop);
    case "xdg-cache":
      return cacheHome(desktop);
  }
  if (!(word in userDirectoryNames)) {
    throw sandboxError("INVALID_PERMISSION", `“${printable(word, 80)}” is no file system that can be granted`);
  }
  const directory = userDirectory(word as UserDirectoryWord, desktop);
  if (directory !== null) return directory;
  throw sandboxError(
    "NOT_AVAILABLE",
    `filesystem=${word}: this user has no such directory: ${printable(configHome(desktop))}/user-dirs.dirs does not name ` +
      `XDG_${userDirectoryNames[word as UserDirectoryWord]}_DIR, or names the home directory itself`,
  );
}

function userDirectory(word: UserDirectoryWord, desktop: DesktopFacts): string | null {
  return parseUserDirectories(desktop.userDirectories, desktop.home).get(userDirectoryNames[word]) ?? null;
}

function runtimeDirectory({ environment }: DesktopFacts): string {
  const directory = environment["XDG_RUNTIME_DIR"] ?? "";
  if (directory.startsWith("/")) return directory;
  throw sandboxError("NOT_AVAILABLE", "filesystem=xdg-run: XDG_RUNTIME_DIR is not set, so there is no runtime directory");
}

export function configHome(desktop: DesktopFacts): string {
  return baseDirectory(desktop, "XDG_CONFIG_HOME", ".config");
}

export function dataHome(desktop: DesktopFacts): string {
  return baseDirectory(desktop, "XDG_DATA_HOME", ".local/share");
}

export function cacheHome(desktop: DesktopFacts): string {
  return baseDirectory(desktop, "XDG_CACHE_HOME", ".cache");
}

export function stateHome(desktop: DesktopFacts): string {
  return baseDirectory(desktop, "XDG_STATE_HOME", ".local/state");
}

/** “All paths set in these environment variables must be absolute” (XDG Base Directory Specification): others are ignored. */
function baseDirectory({ environment, home }: DesktopFacts, variable: string, usual: string): string {
  const value = environment[variable] ?? "";
  return value.startsWith("/") ? value : `${home}/${usual}`;
}
