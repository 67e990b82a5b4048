/* Stands for node:path, as POSIX has paths. */

export const delimiter = ":";

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** Without `.`, `..` and slashes that say nothing. */
export function normalize(path: string): string {
  if (path === "") return ".";
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    const isUp = name === ".." && names.length > 0 && names.at(-1) !== "..";
    if (isUp) names.pop();
    else if (name !== ".." || !isAbsolute(path)) names.push(name);
  }
  const joined = names.join("/");
  if (isAbsolute(path) && joined === "") return "/";
  return `${isAbsolute(path) ? "/" : ""}${joined === "" ? "." : joined}${path.endsWith("/") ? "/" : ""}`;
}

export function join(...parts: readonly string[]): string {
  return normalize(parts.filter((part) => part !== "").join("/"));
}

export function dirname(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  // two slashes at the start may mean something else than one does
  return slash === 1 && isAbsolute(trimmed) ? "//" : trimmed.slice(0, slash) || "/";
}
