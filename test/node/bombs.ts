import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Limit } from "../../src/permissions/permission-set.js";
import { GLibError, SubprocessFlags } from "../../src/node/index.js";
import { fixture, fixtureLauncher, fixturePermissions, temporaryDirectory } from "./gsubprocess/children.js";

/** What came of a bomb. */
export interface Explosion {
  /** What waitCheckAsync() said; null if the bomb was no bomb. */
  readonly error: GLibError | null;
  readonly stdout: string | null;
  /** How late, in milliseconds, a timer of ours was at most while it ran. */
  readonly delay: number;
  /** How many bytes of memory the system had less at the most than before. */
  readonly taken: number;
  /** The size of FILE in the end. */
  readonly fileSize: number;
  /** Whether a process of it was left afterwards. */
  readonly isLeft: boolean;
}

/** Milliseconds after which even a bomb that no limit holds is over. */
const LAST_RESORT = 12_000;

/**
 * Runs build/fixtures/bombs in a sandbox with these limits.
 *
 * @param argv its arguments; FILE stands for a file in a directory that the sandbox may write to
 * @param timeout the launcher's own
 */
export async function explode(
  argv: readonly string[],
  limits: Partial<Record<Limit, number>>,
  timeout: number | null = LAST_RESORT,
): Promise<Explosion> {
  using directory = temporaryDirectory();
  const file = join(directory.path, "file");
  const permissions = fixturePermissions().addFilesystem(directory.path);
  for (const [limit, value] of Object.entries(limits)) permissions.setLimit(limit as Limit, value);
  const launcher = fixtureLauncher(SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDERR_MERGE, { permissions, timeout });
  const marker = `bomb-${process.pid}-${(count += 1)}`;
  const host = new HostWatch();
  const words = argv.map((word) => (word === "FILE" ? file : word));
  const child = await launcher.spawnvAsync([fixture("bombs"), ...words, marker]);
  const stdout = child.communicateUtf8Async(null).then(([text]) => text, () => null);
  const error = await child.waitCheckAsync().then(() => null, asGLibError);
  const figures = host.stop();
  const output = await stdout;
  await child[Symbol.asyncDispose]();
  const fileSize = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return { error, stdout: output, ...figures, fileSize, isLeft: isThere(marker) };
}

function asGLibError(error: unknown): GLibError {
  if (error instanceof GLibError) return error;
  throw new Error("This is no error of a launcher", { cause: error });
}

let count = 0;

/** Looks whether the host is responsive, and what it has left. */
class HostWatch {
  #delay = 0;
  #least = availableMemory();
  readonly #before = this.#least;
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#delay = Math.max(this.#delay, now - this.#last - INTERVAL);
    this.#last = now;
    this.#least = Math.min(this.#least, availableMemory());
  }, INTERVAL);

  stop(): { readonly delay: number; readonly taken: number } {
    clearInterval(this.#timer);
    return { delay: this.#delay, taken: this.#before - this.#least };
  }
}

const INTERVAL = 5;

function availableMemory(): number {
  return Number(/^MemAvailable: *(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1]) * 1024;
}

function isThere(marker: string): boolean {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`\0${marker}\0`);
    } catch {
      return false;
    }
  });
}
