import assert from "node:assert/strict";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { FlatpakSession } from "./session.js";
import { appId, appTree, cacheDirectory, installTestApp } from "./test-app.js";

export interface AppOptions {
  /** What the application holds, in `flatpak run`'s words: `--share=network`, `--filesystem=/some/where`. */
  readonly permissions?: readonly string[];
  /** Variables for the application. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its working directory inside; that of our tree in the application if absent. */
  readonly cwd?: string;
}

export interface RunOptions extends AppOptions {
  /** What it reads from its standard input; nothing if absent. */
  readonly stdin?: string;
  /** Milliseconds after which it is killed, and `run` rejects. */
  readonly timeout?: number;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit status; 128 + n if the command ended by signal n. null if Flatpak itself was killed. */
  readonly status: number | null;
}

/** What mocha said of a run of tests. Titles are full ones, with those of the suites. */
export interface MochaResult extends RunResult {
  readonly passed: readonly string[];
  readonly pending: readonly string[];
  readonly failed: readonly { readonly title: string; readonly message: string }[];
}

/**
 * Our own tree as an application that is installed in a real Flatpak, for an ordinary user, on a session bus that has the
 * real portal. Its commands run inside `flatpak run`. In the application are Node, gjs, coreutils, flatpak-spawn, and at
 * `/app/lib/gio-sandbox` all that `dist`, `src`, `test` and `bench` hold, as JavaScript, with the npm packages that they
 * need and mocha.
 *
 *     await using app = await FlatpakApp.start();
 *     const { stdout } = await app.run(["node", "--version"], { permissions: ["--share=network"] });
 *
 * When it is disposed of, or this process ends in whatever way, everything ends that has been started through it.
 */
export class FlatpakApp implements AsyncDisposable {
  readonly #session: FlatpakSession;
  readonly #branch: string;
  #mochaRuns = 0;

  private constructor(session: FlatpakSession, branch: string) {
    this.#session = session;
    this.#branch = branch;
  }

  /**
   * The first start builds the runtime and the application and takes some seconds; see `requireFlatpak` for what it needs.
   *
   * @param variables for the user's session, as `DISPLAY`
   */
  static async start(variables: Readonly<Record<string, string>> = {}): Promise<FlatpakApp> {
    const session = await FlatpakSession.start(cacheDirectory(), variables);
    try {
      return new FlatpakApp(session, await installTestApp(session));
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The session bus. This process can connect to it, and is then what the portals take for the host. */
  get busAddress(): string {
    return this.#session.busAddress;
  }

  /**
   * A directory of the user's that this process sees at the same path as the session does. It goes with the session. The
   * application sees it if it has `--filesystem=` for it.
   */
  get directory(): string {
    return this.#session.directory;
  }

  /** Runs a command inside the application to its end. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const child = this.spawn(argv, ["pipe", "pipe", "pipe"], options);
    const { timeout = 15_000 } = options;
    const expired = { is: false };
    const timer = setTimeout(() => {
      expired.is = true;
      child.kill("SIGKILL");
    }, timeout);
    // a command that does not read all of it is not an error
    child.stdin?.on("error", () => undefined).end(options.stdin ?? "");
    const [, stdout, stderr] = await Promise.all([once(child, "close"), allOf(child.stdout), allOf(child.stderr)]);
    clearTimeout(timer);
    if (expired.is) {
      throw new Error(`${argv.join(" ")} did not end within ${timeout} ms inside Flatpak.\n${stdout}${stderr}`);
    }
    return { stdout, stderr, status: child.exitCode };
  }

  /**
   * Starts a command inside the application, with descriptors as for `child_process.spawn`. SIGKILL to what is returned
   * kills the whole instance of the application, as the user's desktop would; other signals do not reach it.
   */
  spawn(argv: readonly string[], stdio: StdioOptions, options: AppOptions = {}): ChildProcess {
    const [command = assert.fail("A command is needed"), ...args] = argv;
    const { permissions = [], env = {}, cwd = appTree } = options;
    const flatpak = [
      ...["flatpak", "run", "--user", "--die-with-parent", `--branch=${this.#branch}`, `--command=${command}`, `--cwd=${cwd}`],
      ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
      ...[...permissions, "--", appId, ...args],
    ];
    return this.#session.spawn(flatpak, stdio);
  }

  /** Starts a program of the host's in the user's session, outside Flatpak: `flatpak ps`, for example. */
  spawnInSession(argv: readonly string[], stdio: StdioOptions): ChildProcess {
    return this.#session.spawn(argv, stdio);
  }

  /**
   * Runs test files inside the application.
   *
   * @param files paths in our tree, like `test/plan/bubblewrap.test.ts`
   * @throws Error if mocha did not get to its end, with what it said
   */
  async runMocha(files: readonly string[], options: RunOptions = {}): Promise<MochaResult> {
    // the application's own cache directory, which it sees at another place
    const name = `mocha-${++this.#mochaRuns}.json`;
    const cache = join(this.directory, "home/.var/app", appId, "cache");
    const report = join(cache, name);
    const mocha = ["node", "node_modules/mocha/bin/mocha.js", "--no-config", "--timeout=20000", "--exit"];
    const script = `exec "$@" --reporter-option "output=$XDG_CACHE_HOME/${name}"`;
    const modules = files.map((file) => file.replace(/\.ts$/, ".js"));
    const result = await this.run(["sh", "-c", script, "sh", ...mocha, "--reporter=json", ...modules], { timeout: 60_000, ...options });
    if (!existsSync(report)) throw new Error(`mocha did not run to its end inside Flatpak.\n${result.stdout}${result.stderr}`);
    const { passes, pending, failures } = JSON.parse(readFileSync(report, "utf8")) as MochaReport;
    rmSync(report);
    return {
      ...result,
      passed: passes.map(({ fullTitle }) => fullTitle),
      pending: pending.map(({ fullTitle }) => fullTitle),
      failed: failures.map(({ fullTitle, err }) => ({ title: fullTitle, message: err.stack ?? err.message ?? "" })),
    };
  }

  /** Ends all that runs in the session, waits for that, and removes the session's directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

interface MochaReport {
  readonly passes: readonly MochaTest[];
  readonly pending: readonly MochaTest[];
  readonly failures: readonly MochaTest[];
}

interface MochaTest {
  readonly fullTitle: string;
  readonly err: { readonly stack?: string; readonly message?: string };
}

function allOf(stream: Readable | null): Promise<string> {
  return stream === null ? Promise.resolve("") : text(stream);
}
