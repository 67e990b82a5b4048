import { Outside } from "../../src/plan/guarantees.js";
import { tellingPaths } from "../../src/plan/sandbox-statements.js";
import type { AspectResult } from "./results.js";

/** The results of the same test with several backends, by their names. */
export type BackendResults = ReadonlyMap<string, readonly AspectResult[]>;

/**
 * The backends side by side, as tables in Markdown: what they hold each aspect with, and what a child saw that was granted
 * nothing. Only what is the same on every machine is in them, but for the rows that `isOfThisMachine` knows.
 */
export function guaranteesTable(results: BackendResults): string {
  const backends = [...results.keys()];
  const head = (first: string): string[] => [row([first, ...backends]), row(["---", ...backends.map(() => "---")])];
  const aspects = [...results.values()][0] ?? [];
  const lines = [...head("aspect"), ...aspects.map((_, index) => aspectRow(results, index))];
  for (const [index, { aspect }] of aspects.entries()) {
    lines.push("", ...head(`what is tried (${aspect})`), ...probeRows([...results.values()].map((list) => list[index])));
  }
  return lines.join("\n");
}

/** Whether a line of the tables depends on the kernel, on the user, or on how Flatpak's bubblewrap is installed. */
export function isOfThisMachine(line: string): boolean {
  return machineProbes.some((probe) => line.startsWith(`| ${code(probe)} |`));
}

const machineProbes = ["signal 1", "signal 2", "namespace user", "process capability-bounds", "write /proc/sys/kernel/core_pattern"];

function aspectRow(results: BackendResults, index: number): string {
  const cells = [...results.values()].map((list) => {
    const { access, mechanisms } = list[index] ?? { access: "", mechanisms: [] };
    // what an older kernel does not have
    return [access, ...mechanisms.filter((mechanism) => mechanism !== "Landlock")].join(", ").replace(", ", ": ");
  });
  return row([code([...results.values()][0]?.[index]?.aspect ?? ""), ...cells]);
}

/** Probes that only differ in what they are tried on, and have the same results, share a row. */
function probeRows(results: readonly (AspectResult | undefined)[]): string[] {
  const columns = results.map((result) => new Map((result?.probes ?? []).map(({ probe, result, seen }) => [probe, cell(probe, result, seen)])));
  const probes = [...new Set(columns.flatMap((column) => [...column.keys()]))].filter(isShown);
  const rows = new Map<string, { readonly word: string; readonly subjects: string[]; readonly cells: readonly string[] }>();
  for (const probe of probes) {
    const cells = columns.map((column) => column.get(probe) ?? "not promised");
    const [word = "", subject] = divided(probe);
    const key = JSON.stringify([word, cells]);
    const old = rows.get(key);
    if (old !== undefined && subject !== undefined) old.subjects.push(subject);
    else rows.set(key, { word, subjects: subject === undefined ? [] : [subject], cells });
  }
  return [...rows.values()].map(({ word, subjects, cells }) => row([code(`${word} ${joined(subjects)}`.trim()), ...cells]));
}

/** “1, 3–9, a”: numbers in their order that follow each other make a range. */
function joined(subjects: readonly string[]): string {
  const follows = (index: number): boolean => Number(subjects[index]) === Number(subjects[index - 1]) + 1;
  return subjects
    .flatMap((subject, index) => {
      if (!follows(index)) return [index === 0 ? subject : `, ${subject}`];
      if (follows(index + 1)) return [];
      return [`${follows(index - 1) ? "–" : ", "}${subject}`];
    })
    .join("");
}

function divided(probe: string): readonly string[] {
  const space = probe.indexOf(" ");
  // these have a row of their own
  return space < 0 || machineProbes.includes(probe) ? [probe] : [probe.slice(0, space), probe.slice(space + 1)];
}

function isShown(probe: string): boolean {
  const [word = "", subject = ""] = divided(probe);
  if (["size", "mode", "link", "list", "access", "variables"].includes(word)) return false;
  if (["i386-ptrace", "x32-ptrace"].includes(word) || ["modify_ldt", "uselib"].includes(subject)) return false;
  if (word !== "read" && word !== "write") return true;
  return shownPaths.includes(subject) || tellingPaths.includes(subject) || subject.startsWith("/proc/1/") || subject.startsWith("/proc/2/");
}

const shownPaths: readonly string[] = [
  ...["/", "/.flatpak-info", "/app", "/usr", "/etc", "/dev", "/dev/shm", "/run", "/tmp", "/var", "$HOME", "$XDG_RUNTIME_DIR"],
  ...["/dev/null", "/dev/urandom", "/dev/dri", "/dev/kvm", "/dev/mem", "/dev/fuse"],
];

function cell(probe: string, result: string, seen: string): string {
  if (result === Outside.SAME || result === Outside.READ_ONLY) return result;
  if (probe === "user" || probe === "group") return "the launcher's";
  return code(seen);
}

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}
