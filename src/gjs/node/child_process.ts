import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { addWatch, within } from "../event-loop.js";
import { fileError } from "../fs/failure.js";
import { errnoOfGLib } from "../glib-errno.js";
import { runJobs } from "../jobs.js";
import { servicePath } from "../service-path.js";
import { signalName, signalNumber } from "../signal-name.js";
import { SystemCallFailure, systemCalls } from "../system-calls.js";
import { clearTimeout, setTimeout } from "../timers.js";
import { EventEmitter } from "./events.js";
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from "./fs.js";

/* Stands for node:child_process, with Gio.SubprocessLauncher behind it. */

/** A descriptor of the caller's, which stays that, or /dev/null. */
type Stdio = number | "ignore";

interface SpawnOptions {
  readonly stdio: readonly Stdio[];
  /** All that the process has for variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Whether it gets a session of its own. */
  readonly detached?: boolean;
}

/**
 * A process that was started, or not. Events: `error`, with `code`, if it was not; `exit`, with its exit code or the name
 * of the signal that ended it.
 */
export class ChildProcess extends EventEmitter {
  exitCode: number | null = null;
  signalCode: string | null = null;
  /** Undefined also if it had ended before anybody could ask. */
  readonly pid: number | undefined;
  readonly #process: Gio.Subprocess | null;

  constructor(start: () => Gio.Subprocess) {
    super();
    this.#process = this.#start(start);
    const identifier = this.#process?.get_identifier() ?? null;
    this.pid = identifier === null ? undefined : Number(identifier);
  }

  /** Sends it a signal. One that has ended is no error. */
  kill(signal = "SIGTERM"): void {
    const number = signalNumber(signal);
    if (number === null) throw new TypeError(`Unknown signal: ${signal}`);
    this.#process?.send_signal(number);
  }

  ref(): void {
    // a main loop is what keeps a program of GJS's alive
  }

  unref(): void {
    // nor here
  }

  #start(start: () => Gio.Subprocess): Gio.Subprocess | null {
    try {
      const process = start();
      this.#watch(process);
      return process;
    } catch (error) {
      const failure = startFailure(error);
      setTimeout(() => this.emit("error", failure));
      return null;
    }
  }

  #watch(process: Gio.Subprocess): void {
    const stop = addWatch((context) => {
      const cancellable = new Gio.Cancellable();
      within(context, () => {
        process.wait_async(cancellable, (_process, result) => {
          if (!hasEnded(process, result)) return;
          stop();
          this.#end(process);
          runJobs();
        });
      });
      return () => cancellable.cancel();
    });
  }

  /** It is told once: a wait in another context has been cancelled by then. */
  #end(process: Gio.Subprocess): void {
    if (this.exitCode !== null || this.signalCode !== null) return;
    if (process.get_if_exited()) this.exitCode = process.get_exit_status();
    else this.signalCode = signalName(process.get_term_sig());
    this.emit("exit", this.exitCode, this.signalCode);
    this.emit("close", this.exitCode, this.signalCode);
  }
}

function hasEnded(process: Gio.Subprocess, result: Gio.AsyncResult): boolean {
  try {
    return process.wait_finish(result);
  } catch {
    // nobody waits there any more
    return false;
  }
}

/** With a `code`, as Node's. */
function startFailure(error: unknown): Error {
  if (error instanceof GLib.Error) return Object.assign(new Error(error.message), { code: errnoOfGLib(error) });
  if (error instanceof SystemCallFailure) return Object.assign(error, { code: error.errno });
  return error instanceof Error ? error : new Error(String(error));
}

export function spawn(program: string, argv: readonly string[], { stdio, env, cwd, detached }: SpawnOptions): ChildProcess {
  return start(Gio.SubprocessFlags.NONE, stdio, (launcher) => {
    launcher.set_environ(Object.entries(env).map(([name, value]) => `${name}=${value}`));
    launcher.set_cwd(cwd);
    return detached === true ? inOwnSession(launcher, program, argv, stdio.length) : [program, ...argv];
  });
}

/**
 * Starts a program with no environment, in the root directory, by way of gio-sandbox-calls, which closes all descriptors but
 * the first ones, and becomes it: so GLib can use posix_spawn(), and need not copy our memory map with fork().
 *
 * @param program a path, of which it is known that it can be executed
 * @param stdio at most 4096
 */
export function spawnByService(program: string, argv: readonly string[], stdio: readonly Stdio[]): ChildProcess {
  return start(Gio.SubprocessFlags.INHERIT_FDS, stdio, (launcher) => {
    launcher.set_environ([]);
    return [servicePath(), "--exec", String(Math.max(stdio.length, 3)), program, ...argv];
  });
}

/** @param prepare gives the words to start */
function start(
  flags: Gio.SubprocessFlags,
  stdio: readonly Stdio[],
  prepare: (launcher: Gio.SubprocessLauncher) => string[],
): ChildProcess {
  return new ChildProcess(() => {
    const launcher = new Gio.SubprocessLauncher({ flags: flags | streamFlags(stdio) });
    try {
      stdio.forEach((source, target) => take(launcher, source, target));
      return launcher.spawnv(prepare(launcher));
    } finally {
      launcher.close();
    }
  });
}

/** Without a pipe, a file or a descriptor, standard input is /dev/null anyway. */
function streamFlags([, stdout, stderr]: readonly Stdio[]): Gio.SubprocessFlags {
  const { NONE, STDOUT_SILENCE, STDERR_SILENCE } = Gio.SubprocessFlags;
  return (stdout === "ignore" ? STDOUT_SILENCE : NONE) | (stderr === "ignore" ? STDERR_SILENCE : NONE);
}

/** Gives the launcher a duplicate, which is its own then. */
function take(launcher: Gio.SubprocessLauncher, source: Stdio, target: number): void {
  if (source === "ignore" && target <= 2) return;
  const descriptor = source === "ignore" ? openSync("/dev/null", constants.O_RDWR) : systemCalls().duplicate(source);
  switch (target) {
    case 0:
      launcher.take_stdin_fd(descriptor);
      break;
    case 1:
      launcher.take_stdout_fd(descriptor);
      break;
    case 2:
      launcher.take_stderr_fd(descriptor);
      break;
    default:
      launcher.take_fd(descriptor, target);
  }
}

/**
 * The words that start a program in a session of its own: setsid(1) becomes it, since it leads no process group. What it
 * could not start is looked at here, since it could tell of that only by its exit code.
 *
 * @param program a path
 * @param free a number that the child has no descriptor for
 * @throws Error as Node's
 */
function inOwnSession(
  launcher: Gio.SubprocessLauncher,
  program: string,
  argv: readonly string[],
  free: number,
): string[] {
  accessSync(program, constants.X_OK);
  if (!statSync(program).isFile()) throw fileError("EACCES", "spawn", program);
  const [, descriptor] = /^\/proc\/self\/fd\/(\d+)$/.exec(program) ?? [];
  if (descriptor === undefined) return ["setsid", program, ...argv];
  // setsid(1) has only the descriptors that it is given
  take(launcher, Number(descriptor), free);
  return ["setsid", `/proc/self/fd/${free}`, ...argv];
}

interface ExecOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Runs a program, and gives what it wrote to its standard output. */
export function execFile(
  program: string,
  argv: readonly string[],
  { env, cwd, timeout }: ExecOptions,
  callback: (error: Error | null, stdout: string) => void,
): void {
  const output = systemCalls().memoryFile("output");
  const child = spawn(program, argv, { stdio: ["ignore", output, "ignore"], env, cwd });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
  const settle = (error: Error | null): void => {
    clearTimeout(timer);
    const stdout = readFileSync(`/proc/self/fd/${output}`, "utf8");
    closeSync(output);
    callback(error, stdout);
  };
  child.once("error", (error) => settle(error as Error));
  child.once("exit", (code) => settle(code === 0 ? null : new Error(`${program} failed`)));
}
