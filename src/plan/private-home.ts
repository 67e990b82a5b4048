import type { PermissionSet } from "../permissions/permission-set.js";
import type { DesktopVariable } from "./desktop-plan.js";
import { cacheHome, configHome, dataHome, stateHome } from "./filesystem-words.js";
import type { DesktopFacts, HostFacts } from "./host-facts.js";
import type { PlacedMount, PrivateFile, PrivateLink } from "./host-path.js";
import { isWithin } from "./host-path.js";
import { sandboxDirectories } from "./root-filesystem.js";
import type { UserDirectoryWord } from "./user-directories.js";
import { parseUserDirectories, userDirectoryNames, writeUserDirectories } from "./user-directories.js";

/** How the child's home directory leads to what is granted of the user's. */
export interface PrivateHome {
  readonly links: readonly PrivateLink[];
  readonly files: readonly PrivateFile[];
  readonly variables: readonly DesktopVariable[];
}

/**
 * The child's home is its own, and stays so when parts of the user's are granted. Those have their path of the host, so
 * that a file's name means the same on both sides; links in the child's home lead there, for programs that look below
 * HOME, and a `user-dirs.dirs` says where the user's directories are. Where the user's whole home is granted, the child's
 * HOME is that.
 */
export function privateHome(
  { filesystems }: PermissionSet,
  host: HostFacts,
  desktop: DesktopFacts,
  granted: readonly PlacedMount[],
): PrivateHome {
  const { home } = sandboxDirectories(host.uid);
  const mounts = granted.filter(({ path, source }) => path === source);
  if (mounts.some(({ path }) => isWithin(desktop.home, path))) return usersHome(home, desktop);
  if (granted.some(({ path }) => isWithin(home, path))) return { links: [], files: [], variables: [] };
  const links = linksTo(mounts, granted, home, desktop);
  const directories = parseUserDirectories(desktop.userDirectories, desktop.home);
  const named = filesystems.flatMap(({ path }): [string, string][] => {
    const name = path in userDirectoryNames ? userDirectoryNames[path as UserDirectoryWord] : null;
    const directory = name === null ? undefined : directories.get(name);
    return name === null || directory === undefined ? [] : [[name, directory]];
  });
  const file = `${home}/.config/user-dirs.dirs`;
  const isTaken = [...links.map(({ path }) => path), ...granted.map(({ path }) => path)].some((path) => isWithin(file, path));
  const bytes = new TextEncoder().encode(writeUserDirectories(new Map(named)));
  return { links, files: named.length === 0 || isTaken ? [] : [{ path: file, bytes, mode: "0600" }], variables: [] };
}

function usersHome(home: string, desktop: DesktopFacts): PrivateHome {
  const variables = [
    { name: "HOME", value: desktop.home, over: home },
    { name: "XDG_CACHE_HOME", value: cacheHome(desktop), over: `${home}/.cache` },
    { name: "XDG_CONFIG_HOME", value: configHome(desktop), over: `${home}/.config` },
    { name: "XDG_DATA_HOME", value: dataHome(desktop), over: `${home}/.local/share` },
    { name: "XDG_STATE_HOME", value: stateHome(desktop), over: `${home}/.local/state` },
  ];
  return { links: [], files: [], variables };
}

function linksTo(
  mounts: readonly PlacedMount[],
  granted: readonly PlacedMount[],
  home: string,
  desktop: DesktopFacts,
): PrivateLink[] {
  const places: readonly (readonly [string, string])[] = [
    [configHome(desktop), `${home}/.config`],
    [dataHome(desktop), `${home}/.local/share`],
    [cacheHome(desktop), `${home}/.cache`],
    [desktop.home, home],
  ];
  const links: PrivateLink[] = [];
  for (const { path: target } of [...mounts].sort((a, b) => a.path.length - b.path.length)) {
    const [outside, inside] = places.find(([directory]) => directory !== "/" && isWithin(target, directory)) ?? [];
    if (outside === undefined || inside === undefined) continue;
    const path = inside + target.slice(outside.length);
    // what is below another link is there through that one, and must not be made on the host
    const taken = [...links, ...granted];
    if (taken.some((other) => isWithin(path, other.path) || isWithin(other.path, path))) continue;
    links.push({ path, target });
  }
  return links;
}
