import { printable } from "../subprocess/printable.js";
import { checkText, mountPath } from "./mount-path.js";
import type { FilesystemGrant, FilesystemMode } from "./permission-set.js";
import { invalidPermission } from "./vocabulary.js";

/** A file system as it is asked for: a path or one of Flatpak's words, with its mode. */
export interface FilesystemRequest extends FilesystemGrant {
  /** `-try`: it may be missing on the host. */
  readonly isOptional: boolean;
}

/** Words that stand for whole file systems, or much of them: nothing can come behind them. */
export const wholeWords = ["host", "host-os", "host-etc", "host-fonts"] as const;

/** Words that can have a path behind them (flatpak-metadata(5)); `xdg-run` always has. */
export const directoryWords = [
  ...["xdg-desktop", "xdg-documents", "xdg-download", "xdg-music", "xdg-pictures", "xdg-public-share"],
  ...["xdg-templates", "xdg-videos", "xdg-data", "xdg-config", "xdg-cache", "xdg-run"],
] as const;

/** What can stand behind the last colon. */
const modes: ReadonlyMap<string, { readonly mode: FilesystemMode; readonly isOptional: boolean }> = new Map([
  ["ro", { mode: "ro", isOptional: false }],
  ["rw", { mode: "rw", isOptional: false }],
  ["create", { mode: "create", isOptional: false }],
  ["ro-try", { mode: "ro", isOptional: true }],
  ["rw-try", { mode: "rw", isOptional: true }],
]);

/**
 * Reads `PATH` or `PATH:MODE`. What stands behind the last colon belongs to the path unless it is a mode, so that any path
 * can be named by putting `:ro` or `:rw` behind it.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function parseFilesystem(specification: string): FilesystemRequest {
  const colon = specification.lastIndexOf(":");
  const mode = colon < 0 ? undefined : modes.get(specification.slice(colon + 1));
  return mode === undefined
    ? filesystemRequest(specification, null)
    : filesystemRequest(specification.slice(0, colon), specification.slice(colon + 1));
}

/**
 * @param mode one of `ro`, `rw`, `create`, `ro-try`, `rw-try`; null: `rw`, and `ro` for `host-fonts`
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function filesystemRequest(name: string, mode: string | null): FilesystemRequest {
  const path = filesystemPath(name);
  const isReadOnly = path === "host-fonts";
  const known = modes.get(mode ?? (isReadOnly ? "ro" : "rw"));
  if (known === undefined) {
    const expected = [...modes.keys()].join(", ");
    throw invalidPermission(`Expected one of ${expected} behind “${printable(name, 200)}”, but got “${printable(mode ?? "", 80)}”`);
  }
  if (isReadOnly && known.mode !== "ro") throw invalidPermission("host-fonts can only be read: grant it with :ro");
  return { path, ...known };
}

/**
 * A path or one of Flatpak's words in the one form in which planners read it: see `FilesystemGrant.path`.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function filesystemPath(name: string): string {
  if (name.startsWith("/")) return mountPath(name);
  const slash = name.indexOf("/");
  const word = slash < 0 ? name : name.slice(0, slash);
  const rest = slash < 0 ? "" : relativePath(name, name.slice(slash));
  if (word === "~" || word === "home") return rest === "" ? "home" : `~${rest}`;
  if (isOneOf(wholeWords, word)) {
    if (slash < 0) return word;
    throw invalidPermission(`Nothing can stand behind “${word}”, but got “${printable(name, 200)}”`);
  }
  if (!isOneOf(directoryWords, word)) throw unknownName(name);
  if (word === "xdg-run" && rest === "") {
    throw invalidPermission("xdg-run cannot be granted as a whole: name what is in it, as in xdg-run/NAME");
  }
  return word + rest;
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.includes(word);
}

function relativePath(name: string, path: string): string {
  const shown = printable(name, 200);
  checkText(path, `The path “${shown}”`);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw invalidPermission(`The path “${shown}” contains “..”: write where it leads`);
  return parts.map((part) => `/${part}`).join("");
}

function unknownName(name: string): Error {
  return invalidPermission(
    `Expected an absolute path, ~/…, home, ${[...wholeWords, ...directoryWords].join(", ")} as a file system, but got “${printable(name, 200)}”`,
  );
}
