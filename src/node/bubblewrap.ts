import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { env } from "node:process";
import { planBubblewrapProbe } from "../plan/bubblewrap.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import { bubblewrapFacts } from "../plan/bubblewrap-facts.js";
import { bubblewrapFailure } from "../plan/bubblewrap-failure.js";
import { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import { startHelper } from "./bubblewrap-carrier.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import { hostFacts } from "./host.js";

/**
 * The bwrap of this machine, found and tried once: the same promise each time.
 *
 * @returns a promise that rejects with GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if it is missing, too old,
 *   setuid, or refused by the kernel
 */
export function usableBubblewrap(): Promise<BubblewrapFacts> {
  usable ??= probeBubblewrap();
  return usable;
}

/** Looks and tries again, for when something was installed or allowed since. */
export function probeBubblewrap(): Promise<BubblewrapFacts> {
  const probe = findAndTry();
  usable = probe;
  // whoever uses it hears of the failure; nobody may be there yet
  probe.catch(() => undefined);
  return probe;
}

let usable: Promise<BubblewrapFacts> | null = null;

async function findAndTry(): Promise<BubblewrapFacts> {
  const path = findProgram("bwrap");
  const [versionText, helpText] = path === null ? ["", ""] : await Promise.all([ask(path, "--version"), ask(path, "--help")]);
  const mode = path === null ? 0 : statSync(path).mode;
  const facts = bubblewrapFacts({ path, mode, versionText, helpText });
  await tryOut(facts);
  return facts;
}

/** The system's own first: what PATH says may be anybody's. */
function findProgram(name: string): string | null {
  const directories = ["/usr/bin", ...(env["PATH"] ?? "").split(delimiter).filter(isAbsolute)];
  return directories.map((directory) => join(directory, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
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

async function tryOut(facts: BubblewrapFacts): Promise<void> {
  const scope = new DescriptorScope();
  try {
    const plan = planBubblewrapProbe(hostFacts(), facts, new SandboxPermissions().snapshot());
    const diagnostics = openDiagnostics(scope);
    const [, control] = scope.socketPair();
    const child = startHelper(plan, { granted: [], child: [], control, diagnostics }, scope);
    const timer = setTimeout(() => child.kill("SIGKILL"), PROBE_TIMEOUT);
    const end = await new Promise<{ exitCode: number | null; signal: string | null }>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    }).finally(() => clearTimeout(timer));
    if (end.exitCode !== 0) throw bubblewrapFailure({ ...end, stderr: readDiagnostics(diagnostics) });
  } finally {
    scope[Symbol.dispose]();
  }
}
