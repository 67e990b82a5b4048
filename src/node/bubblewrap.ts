import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { env } from "node:process";
import type { BubblewrapFacts, BubblewrapFindings } from "../plan/bubblewrap-facts.js";
import { bubblewrapFacts } from "../plan/bubblewrap-facts.js";

/**
 * The bwrap of this machine, found once: the same promise each time. Whether the kernel lets it make a sandbox, the first one
 * tells: see `bubblewrapError()`.
 *
 * @returns a promise that rejects with GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if it is missing, too old or setuid
 */
export function usableBubblewrap(): Promise<BubblewrapFacts> {
  usable ??= find();
  // whoever uses it hears of the failure; nobody may be there yet
  usable.catch(() => undefined);
  return usable;
}

let usable: Promise<BubblewrapFacts> | null = null;

async function find(): Promise<BubblewrapFacts> {
  const { path, mode } = findProgram("bwrap");
  const texts = path === null ? { versionText: "", helpText: "" } : (textsIn(path) ?? (await askedTexts(path)));
  return bubblewrapFacts({ path, mode, ...texts });
}

/** The system's own first: what PATH says may be anybody's. */
function findProgram(name: string): Pick<BubblewrapFindings, "path" | "mode"> {
  const directories = ["/usr/bin", ...(env["PATH"] ?? "").split(delimiter).filter(isAbsolute)];
  for (const path of directories.map((directory) => join(directory, name))) {
    const mode = modeOfProgram(path);
    if (mode !== null) return { path, mode };
  }
  return { path: null, mode: 0 };
}

/** Null for what cannot be executed. */
function modeOfProgram(path: string): number | null {
  try {
    accessSync(path, constants.X_OK);
    const found = statSync(path);
    return found.isFile() ? found.mode : null;
  } catch {
    return null;
  }
}

type Texts = Pick<BubblewrapFindings, "versionText" | "helpText">;

/**
 * What bwrap would say, as it stands in the program itself: to read that takes a tenth of the time that two processes take.
 * Null for one that cannot be read, or that starts another one, as a script would.
 */
function textsIn(path: string): Texts | null {
  try {
    const program = readFileSync(path, "latin1");
    if (!program.startsWith("\x7fELF")) return null;
    const [versionText] = /(?<=\0)bubblewrap \d+\.\d+[.\d]*(?=\0)/.exec(around(program, "\0bubblewrap ")) ?? [];
    const options = around(program, "  --").match(/(?<=[\0\n]) {2,}--[a-z0-9-]+/g) ?? [];
    return versionText !== undefined && options.length > 0 ? { versionText, helpText: options.join("\n") } : null;
  } catch {
    return null;
  }
}

/** The part of a program in which these words stand: to search for them is faster than to look for a pattern. */
function around(program: string, words: string): string {
  const first = program.indexOf(words);
  return first < 0 ? "" : program.slice(Math.max(first - MARGIN, 0), program.lastIndexOf(words) + MARGIN);
}

/** More than a line of the help has. */
const MARGIN = 256;

async function askedTexts(path: string): Promise<Texts> {
  const [versionText, helpText] = await Promise.all([ask(path, "--version"), ask(path, "--help")]);
  return { versionText, helpText };
}

const PROBE_TIMEOUT = 10_000;
const MAX_PROBE_OUTPUT = 65536;

function ask(program: string, option: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: {}, cwd: "/", timeout: PROBE_TIMEOUT, maxBuffer: MAX_PROBE_OUTPUT };
    // a bwrap that does not answer has no version, which is said then
    execFile(program, [option], options, (_error, stdout) => resolve(stdout));
  });
}
