import { printable } from "../subprocess/printable.js";
import { invalidPermission } from "./vocabulary.js";

/**
 * The syntax of GKeyFile (glib/gkeyfile.c, and the Desktop Entry Specification), as text in and out: what GLib reads is
 * read, to the same strings; what it refuses is refused. Only a byte order mark at the beginning, which GLib 2.74 refuses, is
 * read over.
 */

/** Characters of a key file that are read at most: one that has more is no list of permissions. */
export const MAX_KEY_FILE_LENGTH = 256 * 1024;

export interface KeyFileEntry {
  readonly key: string;
  /** As it is in the file, escapes included: see `stringValue()` and `listValue()`. */
  readonly value: string;
  /** The first line of a file is 1. */
  readonly line: number;
}

export interface KeyFileGroup {
  readonly name: string;
  /** Where it begins first. */
  readonly line: number;
  /** One of each key, the last one of the file, in the order of the file. */
  readonly entries: readonly KeyFileEntry[];
}

/**
 * The groups of a key file in the order in which they begin; groups of the same name are one.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION, which names the line
 */
export function parseKeyFile(text: string): readonly KeyFileGroup[] {
  if (text.length > MAX_KEY_FILE_LENGTH) {
    throw invalidPermission(`The key file has ${text.length} characters, and at most ${MAX_KEY_FILE_LENGTH} are read`);
  }
  const groups = new Map<string, { readonly line: number; readonly entries: Map<string, KeyFileEntry> }>();
  let current: Map<string, KeyFileEntry> | null = null;
  for (const [index, content] of lines(text).entries()) {
    const line = index + 1;
    const trimmed = content.replace(leadingSpace, "");
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const header = groupHeader.exec(trimmed)?.[1];
    if (header !== undefined) {
      if (!groupName.test(header)) throw invalidLine(line, `“${printable(header, 80)}” is no name of a group`);
      const group = groups.get(header) ?? { line, entries: new Map<string, KeyFileEntry>() };
      groups.set(header, group);
      current = group.entries;
      continue;
    }
    const entry = parseEntry(trimmed, line);
    if (current === null) throw invalidLine(line, "a key stands before the first [group]");
    if (groups.size === 1) checkEncoding(entry);
    current.delete(entry.key);
    current.set(entry.key, entry);
  }
  return [...groups].map(([name, { line, entries }]) => ({ name, line, entries: [...entries.values()] }));
}

/** White space as `g_ascii_isspace()` has it: without the vertical tab. */
const leadingSpace = /^[ \t\f\r\n]+/;
const groupHeader = /^\[([^\]]*)\][ \t]*$/;
// eslint-disable-next-line no-control-regex -- control characters are what GKeyFile refuses in the name of a group
const groupName = /^[^[\]\x00-\x1f\x7f]+$/;
const keyName = /^(?! )[^[\]=]*[^[\]= ](?:\[[\p{L}\p{N}\-_.@]*\])?$/u;

function lines(text: string): string[] {
  const all = text.replace(/^\ufeff/, "").split("\n");
  // a last line that does not end keeps its carriage return
  return all.map((line, index) => (index < all.length - 1 && line.endsWith("\r") ? line.slice(0, -1) : line));
}

function parseEntry(text: string, line: number): KeyFileEntry {
  const equals = text.indexOf("=");
  if (equals < 1) throw invalidLine(line, `“${printable(text, 80)}” is no key=value, [group] or # comment`);
  const key = text.slice(0, endWithout(text, equals, " \t\f\r\n"));
  if (!keyName.test(key)) throw invalidLine(line, `“${printable(key, 80)}” is no name of a key`);
  const value = text.slice(equals + 1).replace(leadingSpace, "");
  if (value.includes("\0")) throw invalidLine(line, `the value of “${printable(key, 80)}” contains a NUL`);
  return { key, value, line };
}

/** The first group may say what encoding the file is in, of which there is but one. */
function checkEncoding({ key, value, line }: KeyFileEntry): void {
  if (key === "Encoding" && value.toUpperCase() !== "UTF-8") {
    throw invalidLine(line, `the encoding “${printable(value, 80)}” is not UTF-8`);
  }
}

function invalidLine(line: number, message: string): Error {
  return invalidPermission(`Line ${line}: ${message}`);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["s", " "],
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["\\", "\\"],
]);

/**
 * A value as `g_key_file_get_string()` reads it.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for an escape that there is not
 */
export function stringValue(value: string): string {
  return value.replace(/\\([^]?)/g, (_whole, character: string) => unescaped(character));
}

/**
 * A value as `g_key_file_get_string_list()` reads it.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for an escape that there is not
 */
export function listValue(value: string): readonly string[] {
  const list: string[] = [];
  let element = "";
  for (const [piece] of value.matchAll(/\\[^]?|;|[^\\;]+/g)) {
    if (piece === ";") {
      list.push(element);
      element = "";
    } else {
      element += piece.startsWith("\\") ? (piece === "\\;" ? ";" : unescaped(piece.slice(1))) : piece;
    }
  }
  return element === "" ? list : [...list, element];
}

function unescaped(character: string): string {
  const meant = escapes.get(character);
  if (meant !== undefined) return meant;
  throw invalidPermission(
    character === "" ? "a backslash stands at the end" : `“\\${printable(character)}” is no escape: a backslash is written “\\\\”`,
  );
}

/**
 * The opposite of `stringValue()`.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for text that begins with a form feed, which is white space
 *   to GKeyFile, but has no escape
 */
export function formatString(text: string): string {
  if (text.startsWith("\f")) throw invalidPermission("A key file has no way to write text that begins with a form feed");
  // GLib reads over white space before a value; editors take away what is behind it
  const end = endWithout(text, text.length, " \t");
  const start = end === 0 ? 0 : text.search(/[^ \t]/);
  const body = text.slice(start, end).replace(/[\\\n\r]/g, escaped);
  return escapedSpace(text.slice(0, start)) + body + escapedSpace(text.slice(end));
}

/** The opposite of `listValue()`. */
export function formatList(list: readonly string[]): string {
  return list.map((element) => `${formatString(element).replaceAll(";", "\\;")};`).join("");
}

/** Where text ends, at `end` or before, if such characters at its end do not count. */
function endWithout(text: string, end: number, characters: string): number {
  // not a regular expression: that takes quadratic time for much white space elsewhere
  let last = end;
  while (last > 0 && characters.includes(text.charAt(last - 1))) last--;
  return last;
}

function escapedSpace(space: string): string {
  return space.replaceAll(" ", "\\s").replaceAll("\t", "\\t");
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : character === "\r" ? "\\r" : "\\\\";
}

/** A key file of groups, each with its keys and their values as they are to be written; empty groups are left out. */
export function formatKeyFile(groups: readonly (readonly [name: string, entries: readonly (readonly [string, string])[]])[]): string {
  return groups
    .filter(([, entries]) => entries.length > 0)
    .map(([name, entries]) => `[${name}]\n${entries.map(([key, value]) => `${key}=${value}\n`).join("")}`)
    .join("\n");
}
