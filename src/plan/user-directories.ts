/** The words of `--filesystem` for a user's directories, and their names in `user-dirs.dirs` (xdg-user-dirs). */
export const userDirectoryNames = {
  "xdg-desktop": "DESKTOP",
  "xdg-documents": "DOCUMENTS",
  "xdg-download": "DOWNLOAD",
  "xdg-music": "MUSIC",
  "xdg-pictures": "PICTURES",
  "xdg-public-share": "PUBLICSHARE",
  "xdg-templates": "TEMPLATES",
  "xdg-videos": "VIDEOS",
} as const;
export type UserDirectoryWord = keyof typeof userDirectoryNames;

/**
 * A user's directories, by the names of `user-dirs.dirs` (`PICTURES`). Lines have the form `XDG_NAME_DIR="$HOME/…"` or
 * `XDG_NAME_DIR="/…"`; others are passed over, as `g_get_user_special_dir()` does. What names the home directory itself
 * is switched off, and is left out.
 *
 * @param content of `$XDG_CONFIG_HOME/user-dirs.dirs`; null if there is none
 */
export function parseUserDirectories(content: string | null, home: string): ReadonlyMap<string, string> {
  const directories = new Map<string, string>();
  for (const line of (content ?? "").split("\n")) {
    const match = /^\s*XDG_(?<name>[A-Z]+)_DIR\s*=\s*"(?<path>(?:[^"\\]|\\.)*)"/.exec(line);
    const name = match?.groups?.["name"];
    const path = directoryPath(match?.groups?.["path"] ?? "", home);
    if (name !== undefined && path !== null) directories.set(name, path);
  }
  // the one that GLib knows without the file
  if (!directories.has("DESKTOP") && !/^\s*XDG_DESKTOP_DIR\s*=/m.test(content ?? "")) directories.set("DESKTOP", `${home}/Desktop`);
  return directories;
}

function directoryPath(quoted: string, home: string): string | null {
  const text = quoted.replace(/\\(.)/g, "$1");
  const path = text.startsWith("$HOME/") ? `${home}/${text.slice("$HOME/".length)}` : text;
  const normal = path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
  return normal.startsWith("/") && normal !== home ? normal : null;
}

/** The content of a `user-dirs.dirs` that names these directories, and nothing else. */
export function writeUserDirectories(directories: ReadonlyMap<string, string>): string {
  const lines = [...directories].map(([name, path]) => `XDG_${name}_DIR="${path.replace(/["\\$`]/g, "\\$&")}"\n`);
  return lines.join("");
}
