import { printable } from "../subprocess/printable.js";
import type { FilesystemEntry, FilesystemView } from "./filesystem-view.js";
import type { Access, Enforcement, Guarantee } from "./guarantees.js";

/** What a piece of a report's text is, for those who show it in colours. */
export type TextRole = "heading" | "denied" | "partly" | "granted" | "warning" | "faint";

export type TextStyle = (role: TextRole, text: string) => string;

/** What of a report is shown: a `SandboxReport`. */
interface ReportContent {
  readonly backend: string;
  readonly guarantees: readonly Guarantee[];
  readonly filesystem: FilesystemView | null;
}

const plain: TextStyle = (_role, text) => text;

/** A report as a table for people, and below it the picture of the file system. */
export function reportText({ backend, guarantees, filesystem }: ReportContent, style: TextStyle = plain): string {
  const picture = filesystem === null ? [] : ["", style("heading", "The file system that the child will see"), ...filesystemTree(filesystem, style)];
  return [
    `${style("heading", "Backend")} ${backend}`,
    ...guarantees.flatMap((guarantee) => ["", ...guaranteeLines(guarantee, style)]),
    ...picture,
    "",
  ].join("\n");
}

const WIDTH = 110;
const FIRST_COLUMN = 14;
const INDENT = " ".repeat(FIRST_COLUMN);

const accessWords: Readonly<Record<Access, string>> = { denied: "denied", partly: "in part", granted: "granted" };

const enforcementWords: Readonly<Record<Enforcement, string>> = {
  full: "",
  partial: "not enforced in full",
  none: "NOT ENFORCED",
};

function guaranteeLines(guarantee: Guarantee, style: TextStyle): string[] {
  const { aspect, access, enforcement, required, mechanisms, shortfall, sentences } = guarantee;
  const details = [
    style(access, accessWords[access].padEnd(9)),
    ...(enforcement === "full" ? [] : [style("warning", enforcementWords[enforcement])]),
    style("faint", [mechanisms.join(", "), ...(required ? ["required"] : [])].filter((text) => text !== "").join("; ")),
  ];
  return [
    style("heading", aspect.padEnd(FIRST_COLUMN)) + details.join("  "),
    ...(shortfall === null ? [] : wrapped(`Not enforced: ${shortfall}.`).map((line) => INDENT + style("warning", line))),
    ...sentences.flatMap((sentence) => wrapped(printable(sentence, MAX_SENTENCE)).map((line) => INDENT + line)),
  ];
}

const MAX_SENTENCE = 4000;

function wrapped(sentence: string): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH - FIRST_COLUMN) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

interface Branch {
  readonly name: string;
  entry: FilesystemEntry | null;
  readonly branches: Branch[];
}

/** The picture: a tree of what is where, each line with what the child may do. */
export function filesystemTree(view: FilesystemView, style: TextStyle = plain): string[] {
  const root: Branch = { name: "/", entry: null, branches: [] };
  for (const entry of view) grow(root, entry);
  const lines: { readonly picture: string; readonly entry: FilesystemEntry | null }[] = [];
  draw(root, "", "", lines);
  const width = Math.min(Math.max(...lines.map(({ picture }) => picture.length)), MAX_PICTURE);
  return lines.map(({ picture, entry }) =>
    entry === null ? picture : `${picture.padEnd(width)}  ${entryText(entry, style)}`,
  );
}

const MAX_PICTURE = 60;

function grow(root: Branch, entry: FilesystemEntry): void {
  let branch = root;
  for (const name of entry.path.split("/").filter((part) => part !== "")) {
    let next = branch.branches.find((candidate) => candidate.name === name);
    if (next === undefined) branch.branches.push((next = { name, entry: null, branches: [] }));
    branch = next;
  }
  branch.entry = entry;
}

/** Draws a branch, together with the only one in it if there is nothing to say of itself. */
function draw(
  branch: Branch,
  before: string,
  below: string,
  lines: { picture: string; entry: FilesystemEntry | null }[],
): void {
  let { name } = branch;
  let end = branch;
  for (let [only] = end.branches; end.entry === null && only !== undefined && end.branches.length === 1; [only] = end.branches) {
    name = `${name === "/" ? "" : name}/${only.name}`;
    end = only;
  }
  lines.push({ picture: `${before}${printable(name, 200)}`, entry: end.entry });
  end.branches.forEach((child, index) => {
    const isLast = index === end.branches.length - 1;
    draw(child, `${below}${isLast ? "└── " : "├── "}`, `${below}${isLast ? "    " : "│   "}`, lines);
  });
}

function entryText({ kind, path, writable, source, mode, size }: FilesystemEntry, style: TextStyle): string {
  const access = writable ? style("granted", "rw") : style("denied", "ro");
  const modeText = mode === null || kind === "directory" ? "" : ` ${mode.toString(8).padStart(4, "0")}`;
  switch (kind) {
    case "link":
      return style("faint", `→ ${printable(source ?? "", 200)}`);
    case "host":
      return `${access}  the host's${source === path || source === null ? "" : ` ${printable(source, 200)}`}`;
    case "application":
      return `${access}  the application's`;
    case "flatpak":
      return `${access}  Flatpak's own`;
    case "private":
      return `${access}${modeText}  its own${size === null ? "" : `, ${bytesText(size)} at most`}`;
    case "directory":
      return access;
    case "file":
      return `${access}${modeText}  made for it`;
    case "socket":
      return `${access}  a filtered socket`;
    case "processes":
      return `${access}  its own processes`;
    case "devices":
      return `${access}  devices that do no harm`;
  }
}

/** “256 MiB” */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && value % 1024 === 0 && unit < units.length - 1; unit++) value /= 1024;
  return `${value} ${units[unit] ?? ""}`;
}
