import type { Readable, Writable } from "node:stream";
import type { ResourceUsage } from "../init/decode.js";
import type { ChosenBackend } from "../plan/choose-backend.js";
import type { SandboxReport } from "../plan/sandbox-report.js";
import { checkArguments } from "../subprocess/arguments.js";
import { SubprocessFlags } from "../subprocess/flags.js";
import { decodeOutput, encodeInput } from "../subprocess/utf8.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import { exitStatus, ifExited, ifSignaled, isSuccess, termSignal } from "../subprocess/wait-status.js";
import type { GLibBytes } from "./bytes.js";
import { bytesOf } from "./bytes.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfLimited, throwIfLost, throwUnlessSuccessful } from "./check-end.js";
import type { Output } from "./communicate.js";
import { communicate } from "./communicate.js";
import type { StartedChild } from "./launcher.js";
import { SandboxSubprocessLauncher } from "./launcher.js";
import type { End, RunningProcess } from "./running-process.js";

/** What `new SandboxSubprocess()` takes, as GObject properties. */
export interface SubprocessProperties {
  readonly argv: readonly string[];
  /** A combination of `SubprocessFlags`; `NONE` if absent. */
  readonly flags?: SubprocessFlags;
}

/**
 * A child process in a sandbox, with the methods of `Gio.Subprocess`.
 *
 * A process lives on when nothing refers to it any more, as in GIO, but never longer than the program that launched it.
 * `await using` ends it, with everything in its sandbox.
 */
export class SandboxSubprocess {
  readonly #argv: readonly string[];
  readonly #flags: SubprocessFlags;
  #running: RunningProcess | null = null;
  #maximumOutput: number | null = null;
  #report: (() => SandboxReport) | SandboxReport | null = null;

  /** Makes a process that is not started yet: see `initAsync()`. */
  constructor({ argv, flags = SubprocessFlags.NONE }: SubprocessProperties) {
    checkArguments(argv);
    this.#argv = [...argv];
    this.#flags = flags;
  }

  /**
   * Starts a process with the default permissions, which are none.
   *
   * @throws GLibError as `SandboxSubprocessLauncher.spawnvAsync()`
   */
  static async newAsync(
    argv: readonly string[],
    flags: SubprocessFlags = SubprocessFlags.NONE,
    cancellable: Cancellable | null = null,
  ): Promise<SandboxSubprocess> {
    const subprocess = new SandboxSubprocess({ argv, flags });
    await subprocess.initAsync(cancellable);
    return subprocess;
  }

  /**
   * Starts the process, as `Gio.Initable.init()`. Doing so again changes nothing.
   *
   * @throws GLibError as `SandboxSubprocessLauncher.spawnvAsync()`
   */
  async initAsync(cancellable: Cancellable | null = null): Promise<true> {
    if (this.#running !== null) return true;
    using launcher = new SandboxSubprocessLauncher({ flags: this.#flags });
    this.#take(await launcher.launch(this.#argv, cancellable));
    return true;
  }

  /** The subprocess of a process that a launcher has started. */
  static ofRunning(properties: SubprocessProperties, started: StartedChild): SandboxSubprocess {
    const subprocess = new SandboxSubprocess(properties);
    subprocess.#take(started);
    return subprocess;
  }

  #take({ running, maximumOutput, report }: StartedChild): void {
    this.#running = running;
    this.#maximumOutput = maximumOutput;
    this.#report = report;
  }

  /**
   * What holds in the process's sandbox: the same report each time, as its launcher's `explain()` gave at the launch.
   *
   * @throws TypeError before the process is started
   */
  getReport(): SandboxReport {
    if (this.#report === null) throw new TypeError("The process was not started: initAsync() does that.");
    if (typeof this.#report === "function") this.#report = this.#report();
    return this.#report;
  }

  /** What carries the sandbox: one of `Backend`, but AUTO. @throws TypeError before the process is started */
  getBackend(): ChosenBackend {
    return this.getReport().backend;
  }

  /**
   * The pid on the host, in decimal: the same process that the host's tools show. Null once the process has ended, which
   * the system may know a moment before `waitAsync()` does, and where /proc does not tell.
   */
  getIdentifier(): string | null {
    return this.#process.identifier;
  }

  /** The stream that is the child's standard input, the same each time; null without STDIN_PIPE. */
  getStdinPipe(): Writable | null {
    return this.#process.pipes.stdin;
  }

  /** The stream that the child's standard output comes from, the same each time; null without STDOUT_PIPE. */
  getStdoutPipe(): Readable | null {
    return this.#process.pipes.stdout;
  }

  /** The stream that the child's standard error comes from, the same each time; null without STDERR_PIPE. */
  getStderrPipe(): Readable | null {
    return this.#process.pipes.stderr;
  }

  /**
   * Waits until the process has ended, however it did. Cancelling does not touch the process.
   *
   * @throws GLibError `g-io-error-quark` CANCELLED; `gio-sandbox-error-quark` SETUP_FAILED if the sandbox was lost
   */
  async waitAsync(cancellable: Cancellable | null = null): Promise<true> {
    throwIfLost(await this.#process.wait(cancellable));
    return true;
  }

  /**
   * Waits until the process has ended, and takes anything but exit 0 as an error.
   *
   * @throws GLibError as `waitAsync()`, and `g-spawn-exit-error-quark` with the exit status as its code, `g-exec-error-quark`
   *   FAILED for a signal, `gio-sandbox-error-quark` TIMED_OUT if its timeout ended it, LIMIT_EXCEEDED if another limit
   *   did: the error's `limit` says which, its `usage` what the process had used
   */
  async waitCheckAsync(cancellable: Cancellable | null = null): Promise<true> {
    throwUnlessSuccessful(await this.#process.wait(cancellable), this.#process);
    return true;
  }

  /**
   * Writes `stdinBuf` to the child, reads all its output, and waits for its end.
   *
   * @param stdinBuf a `Uint8Array` (a `Buffer` is one), or node-gtk's `GLib.Bytes`, whose bytes node-gtk copies one by one:
   *   some 4 MiB a second. Null is as good as empty
   * @returns standard output and standard error, each null without its pipe
   * @throws TypeError for `stdinBuf` without STDIN_PIPE, or of another type
   * @throws GLibError `g-io-error-quark` CANCELLED, which does not touch the process, BROKEN_PIPE if the child closes its
   *   input before all is written, CLOSED for a second time; `gio-sandbox-error-quark` LIMIT_EXCEEDED for more output than
   *   the launcher's `maximumOutput`, and as of `waitCheckAsync()` TIMED_OUT, LIMIT_EXCEEDED
   */
  async communicateAsync(
    stdinBuf: Uint8Array | GLibBytes | null = null,
    cancellable: Cancellable | null = null,
  ): Promise<[stdout: Uint8Array | null, stderr: Uint8Array | null]> {
    const { stdout, stderr } = await this.#communicate(bytesOf(stdinBuf), cancellable);
    return [stdout, stderr];
  }

  /**
   * The same with text: what the child writes is UTF-8, and ends at the first NUL if it has one, as in GIO.
   *
   * @throws GLibError as `communicateAsync()`, and `g-io-error-quark` FAILED for output that is not UTF-8
   */
  async communicateUtf8Async(
    stdinBuf: string | null = null,
    cancellable: Cancellable | null = null,
  ): Promise<[stdout: string | null, stderr: string | null]> {
    const input = stdinBuf === null ? null : encodeInput(stdinBuf);
    const { stdout, stderr } = await this.#communicate(input, cancellable);
    return [stdout && decodeOutput(stdout, "stdout"), stderr && decodeOutput(stderr, "stderr")];
  }

  /** Sends a signal to the process. One that has ended, or a number that is no signal, is no error. */
  sendSignal(signalNum: number): void {
    if (!Number.isInteger(signalNum)) throw new TypeError(`Expected a signal's number, but got ${signalNum}.`);
    if (signalNum > 0 && signalNum <= MAX_SIGNAL) this.#process.signal(signalNum);
  }

  /** Kills the process and everything else in its sandbox. Wait for the end afterwards, if it matters. */
  forceExit(): void {
    this.#process.kill();
  }

  /** The raw wait status. @throws TypeError before the process has ended, like all of its kind */
  getStatus(): WaitStatus {
    return this.#end.status;
  }

  /** Whether the process exited with status 0. */
  getSuccessful(): boolean {
    return isSuccess(this.#end.status);
  }

  /** Whether the process exited, by exit() or by returning from main(). */
  getIfExited(): boolean {
    return ifExited(this.#end.status);
  }

  /** @throws TypeError also if the process did not exit */
  getExitStatus(): number {
    if (!ifExited(this.#end.status)) throw new TypeError("The process did not exit: a signal ended it.");
    return exitStatus(this.#end.status);
  }

  /** Whether a signal ended the process. */
  getIfSignaled(): boolean {
    return ifSignaled(this.#end.status);
  }

  /** @throws TypeError also if no signal ended the process */
  getTermSig(): number {
    if (!ifSignaled(this.#end.status)) throw new TypeError("No signal ended the process: it exited.");
    return termSignal(this.#end.status);
  }

  /** What the process used, itself and its children that it waited for; null if the sandbox was lost. */
  getResourceUsage(): ResourceUsage | null {
    return this.#end.usage;
  }

  /** Kills everything in the sandbox, closes the pipes, and waits until nothing is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.dispose();
  }

  get #process(): RunningProcess {
    if (this.#running === null) throw new TypeError("The process was not started: initAsync() does that.");
    return this.#running;
  }

  get #end(): End {
    const { end } = this.#process;
    if (end === null) throw new TypeError("The process has not ended: wait for that first.");
    return end;
  }

  async #communicate(input: Uint8Array | null, cancellable: Cancellable | null): Promise<Output> {
    const running = this.#process;
    if (input !== null && running.pipes.stdin === null) {
      throw new TypeError("Input for a process without SubprocessFlags.STDIN_PIPE has nowhere to go.");
    }
    const maximum = this.#maximumOutput ?? 0;
    const output = await communicate(running, input ?? new Uint8Array(0), maximum, cancellable);
    throwIfLimited(output.end, running);
    return output;
  }
}

/** The subprocess of a process that a launcher has started: a function, so that who has no use for the class need not have it. */
export function subprocessOf(properties: SubprocessProperties, started: StartedChild): SandboxSubprocess {
  return SandboxSubprocess.ofRunning(properties, started);
}

/** Linux has signals 1 to 64. */
const MAX_SIGNAL = 64;
