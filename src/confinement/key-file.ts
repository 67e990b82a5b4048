/** A key file as GLib's GKeyFile reads it: the values of each group by key, escapes still in them. */
export type KeyFile = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Parses a key file (the Desktop Entry Specification, as GKeyFile takes it). A group that comes twice is one; of equal
 * keys the last counts.
 *
 * @returns null if it is none
 */
export function parseKeyFile(text: string): KeyFile | null {
  const groups = new Map<string, Map<string, string>>();
  let group: Map<string, string> | null = null;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const name = /^\[([^[\]\p{Cc}]+)\]$/u.exec(line)?.[1];
    if (name !== undefined) {
      group = groups.get(name) ?? new Map<string, string>();
      groups.set(name, group);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 1 || group === null) return null;
    group.set(line.slice(0, equals).trimEnd(), line.slice(equals + 1).trimStart());
  }
  return groups;
}

/** A string, its escapes resolved; null if it is not there. */
export function keyFileString(file: KeyFile, group: string, key: string): string | null {
  const value = file.get(group)?.get(key);
  return value === undefined ? null : unescaped(value);
}

/** A list of strings, which semicolons end; empty if it is not there. */
export function keyFileList(file: KeyFile, group: string, key: string): readonly string[] {
  const value = file.get(group)?.get(key) ?? "";
  const items = value.match(/(?:\\.|[^\\;])*(?:;|$)/gs) ?? [];
  return items.map((item) => unescaped(item.replace(/;$/, ""))).filter((item) => item !== "");
}

const escapes: Readonly<Record<string, string>> = { s: " ", n: "\n", t: "\t", r: "\r", "\\": "\\", ";": ";" };

function unescaped(value: string): string {
  return value.replace(/\\(.)/gs, (whole, character: string) => escapes[character] ?? whole);
}
