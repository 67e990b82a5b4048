/** Runs scenarios under gjs, in as few processes as their crashes allow. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import process, { env } from "node:process";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** As seen from there. */
const RUNNER = "test/gjs/run-scenarios.js";

/** Which implementation a run is of, and how it is called. */
export interface Run {
  /** `gio`, or the path of our module. */
  readonly implementation: string;
  readonly launches: "blocking" | "promise" | "callback";
  readonly promises: "plain" | "promisified";
  /** Starts the runner, given the words for sh(1); here, if it is absent. */
  readonly start?: (words: readonly string[]) => ChildProcess;
}

/** What a scenario has observed, by the names of its fields. */
export type Result = Readonly<Record<string, unknown>>;

type Line = { readonly begins: string } | { readonly name: string; readonly result: Result };

/** No scenario takes longer by itself: a blocking call in it does not come back. */
const TIME_LIMIT = 45_000;

/** The names of all scenarios. */
export function scenarioNames(): string[] {
  return execFileSync("gjs", ["-m", RUNNER, "--list"], { encoding: "utf8", cwd: root }).trimEnd().split("\n");
}

/** The version of the GLib that GJS has. */
export function glibVersion(): readonly [major: number, minor: number] {
  const [major = 0, minor = 0] = execFileSync("gjs", ["-m", RUNNER, "--glib"], { encoding: "utf8", cwd: root }).split(".").map(Number);
  return [major, minor];
}

/** What came of each of the scenarios; of one that ended the process, `died` says how. */
export async function runScenarios(run: Run, names: readonly string[]): Promise<ReadonlyMap<string, Result>> {
  const results = new Map<string, Result>();
  let left = [...names];
  while (left.length > 0) {
    const death = await runUntilDeath(run, left, results);
    left = left.filter((name) => !results.has(name));
    if (death === null) assert.deepEqual(left, [], "the runner ended early");
  }
  return results;
}

/** Runs scenarios until one of them ends the process, if one does; that one's result is added then, too. */
async function runUntilDeath(
  { implementation, launches, promises, start = startHere }: Run,
  names: readonly string[],
  results: Map<string, Result>,
): Promise<Result | null> {
  // before GLib 2.82 it is the program that has to see to SIGPIPE
  const words = ["-c", `trap '' PIPE; exec gjs -m "$@"`, "sh", RUNNER, implementation, launches, promises, ...names];
  const child = start(words);
  assert.ok(child.stdout !== null && child.stderr !== null);
  // what it has left running would hold its output open
  child.on("exit", () => killGroup(child.pid));
  const ended = new Promise<readonly unknown[]>((resolve) => child.on("close", (...end) => resolve(end)));
  const messages = text(child.stderr);
  let running: string | null = null;
  const kill = (): void => killGroup(child.pid);
  let timer = setTimeout(kill, TIME_LIMIT);
  for await (const line of createInterface(child.stdout)) {
    clearTimeout(timer);
    timer = setTimeout(kill, TIME_LIMIT);
    // what GLib prints before it aborts
    if (line.startsWith("Bail out!")) continue;
    const message = JSON.parse(line) as Line;
    if ("begins" in message) running = message.begins;
    else results.set(message.name, message.result);
  }
  const [code, signal] = await ended;
  clearTimeout(timer);
  if (code === 0) return null;
  assert.ok(running !== null && !results.has(running), `gjs ended (${String(signal ?? code)}): ${await messages}`);
  const death = { died: signal ?? code };
  results.set(running, death);
  return death;
}

function startHere(words: readonly string[]): ChildProcess {
  return spawn("sh", words, { stdio: ["ignore", "pipe", "pipe"], cwd: root, env: { ...env, LC_ALL: "C" }, detached: true });
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
