import type { FlatpakInfo } from "../confinement/flatpak-info.js";

/** Directories that every instance of an application has alike: the application and its runtime. */
const fixed = ["/app", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];

/** Whether a path is there, and the same, in every sandbox of the application, to be read. */
export function isInEverySandbox(path: string): boolean {
  return fixed.some((directory) => isWithin(path, directory));
}

/** Directories that an instance has to itself, or that Flatpak makes for it: the host has others of these names. */
const instanceOnly = ["/tmp", "/var", "/run", "/etc", "/dev", "/proc", "/sys", "/root"];

/** What below them is the host's own after all. */
const hostWithin = ["/run/media", "/var/home", "/var/roothome", "/var/mnt", "/var/srv"];

/** Whether the host, as far as can be told beforehand, has nothing or another thing at this path of the application's. */
export function isPrivateToApp(path: string, { context, instancePath }: FlatpakInfo): boolean {
  if (!instanceOnly.some((directory) => isWithin(path, directory))) return false;
  if (hostWithin.some((directory) => isWithin(path, directory))) return false;
  // its own directory in ~/.var/app is where the host has it, wherever the home directory may be
  if (instancePath !== null && isWithin(path, instancePath)) return false;
  return !context.filesystems.some((granted) => isWithin(path, granted.replace(/:(?:ro|rw|create)$/, "")));
}

function isWithin(path: string, directory: string): boolean {
  return directory.startsWith("/") && (path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`));
}
