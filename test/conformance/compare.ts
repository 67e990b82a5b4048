import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Observation, SandboxReport, SandboxSubprocessLauncher } from "../../src/node/index.js";
import type { FilesystemEntry, FilesystemKind, FilesystemView } from "../../src/plan/filesystem-view.js";
import { entryAt } from "../../src/plan/filesystem-view.js";
import { Outside } from "../../src/plan/guarantees.js";
import type { Host } from "./host.js";
import { program } from "./host.js";

/** What the conformance program saw: its probes and their results. */
export type Seen = ReadonlyMap<string, string>;

/** A difference between what a report promised and what the program saw. */
export interface Difference {
  readonly probe: string;
  readonly promised: string;
  readonly seen: string;
}

/** Launches the program, as `launcher` launches children, with a word for each observation of the report. */
export async function seenInside(launcher: SandboxSubprocessLauncher, host: Host): Promise<Seen> {
  const child = await launcher.spawnvAsync([program, ...words(launcher.explain(), host, false)]);
  const [stdout] = await child.communicateUtf8Async(null);
  return parsed(stdout ?? "");
}

/**
 * Runs the program outside of any sandbox, as the same user without capabilities: what a report means by `Outside`.
 */
export async function seenOutside(report: SandboxReport, host: Host): Promise<Seen> {
  const isRoot = process.getuid?.() === 0;
  const dropped = isRoot ? ["--inh-caps=-all", "--bounding-set=-all"] : [];
  const child = spawn("setpriv", ["--no-new-privs", ...dropped, program, ...words(report, host, true)], {
    env: {},
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return parsed(await text(child.stdout));
}

function words(report: SandboxReport, host: Host, isOutside: boolean): readonly string[] {
  const observations = report.guarantees.flatMap((guarantee) => guarantee.observations);
  const observed = observations.flatMap(({ probe, outside }) => (isOutside && outside !== undefined ? [outside] : [probe]));
  return [...host.words, ...observed.filter((probe) => probe.includes(" "))];
}

function parsed(json: string): Seen {
  return new Map(Object.entries(JSON.parse(json) as Record<string, string>));
}

/** Every entry in which a report and the program differ, and every one that only one of them has. */
export function differences(report: SandboxReport, seen: Seen, outside: Seen): readonly Difference[] {
  const promised = new Map(
    report.guarantees.flatMap(({ observations }) =>
      observations.map((observation): [string, string] => [observation.probe, resolved(observation, outside)]),
    ),
  );
  const probes = new Set([...promised.keys(), ...seen.keys()]);
  // the picture of the file system is compared as a whole
  probes.delete("mounts");
  return [...probes]
    .map((probe) => ({ probe, promised: promised.get(probe) ?? "nothing", seen: seen.get(probe) ?? "not tried" }))
    .filter((entry) => entry.promised !== entry.seen);
}

function resolved({ probe, result, outside: elsewhere = probe }: Observation, outside: Seen): string {
  const there = outside.get(elsewhere) ?? "not tried outside";
  switch (result) {
    case Outside.SAME:
      return there;
    case Outside.READ_ONLY:
      // EPERM is what drivers say, when a file is opened already
      return there === "OK" || there === "EPERM" ? "EROFS" : there;
    default:
      return result;
  }
}

/** The mounts that the picture of a report speaks of, and those that the program saw: `PATH ro|rw`. */
export function mountDifferences(report: SandboxReport, seen: Seen): { readonly promised: string[]; readonly seen: string[] } {
  const view = report.filesystem ?? [];
  const mounts = view.filter(({ kind }) => mountKinds.has(kind));
  const isInside = (path: string): boolean =>
    // what bwrap mounts in its own /dev and /proc, and what comes along with a directory of the host
    mounts.some(({ path: parent, kind }) => path.startsWith(`${parent}/`) && parent !== "/" && kind !== "private") &&
    !mounts.some((mount) => mount.path === path);
  const lines = (seen.get("mounts") ?? "").split("\n");
  return {
    promised: mounts.map(mountLine).sort(),
    seen: lines.filter((line) => !isInside(pathOf(line)) && !isFlatpaks(view, line)).sort(),
  };
}

const mountKinds: ReadonlySet<FilesystemKind> = new Set(["host", "application", "private", "processes", "devices", "socket"]);

function mountLine({ path, writable }: FilesystemEntry): string {
  return `${path} ${writable ? "rw" : "ro"}`;
}

function pathOf(line: string): string {
  return line.slice(0, line.lastIndexOf(" "));
}

/** What Flatpak mounts read-only into its own directories, and directories of the sandbox's own that it happens to mount. */
function isFlatpaks(view: FilesystemView, line: string): boolean {
  if (!view.some(({ kind }) => kind === "flatpak")) return false;
  const entry = entryAt(view, pathOf(line));
  if (entry?.path === pathOf(line)) return ["directory", "flatpak", "file"].includes(entry.kind) && mountLine(entry) === line;
  return (entry?.kind === "flatpak" && line.endsWith(" ro")) || line === "/run/.userns ro";
}
