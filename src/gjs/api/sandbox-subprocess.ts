import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import GObject from "gi://GObject?version=2.0";
import { SandboxSubprocess as Inside } from "../../node/subprocess.js";
import type { ChosenBackend } from "../../plan/choose-backend.js";
import type { WaitStatus } from "../../subprocess/wait-status.js";
import type { PipeEnd } from "../pipe-ends.js";
import type { Callback } from "./operation.js";
import { beginOrPromise, block, finish } from "./operation.js";
import type { ResourceUsage } from "./resource-usage.js";
import { SandboxReport } from "./sandbox-report.js";
import { shared } from "./shared.js";
import { snakeCased } from "./snake-case.js";

/** What `new SandboxSubprocess()` takes. */
export interface SubprocessProperties {
  readonly argv: readonly string[];
  /** A combination of `Gio.SubprocessFlags`; `NONE` if absent. */
  readonly flags?: number;
}

/** What GObject was told of one before it is started. */
interface Construction {
  argv: readonly string[];
  flags: number;
}

type Bytes = [ok: boolean, stdout: GLib.Bytes | null, stderr: GLib.Bytes | null];
type Text = [ok: boolean, stdout: string | null, stderr: string | null];
type Outputs<All> = All extends [boolean, ...infer Rest] ? Rest : never;

const constructions = new WeakMap<GObject.Object, Construction>();
const insides = new WeakMap<GObject.Object, Inside>();
const reports = new WeakMap<GObject.Object, SandboxReport>();

function constructionOf(face: GObject.Object): Construction {
  let construction = constructions.get(face);
  if (construction === undefined) constructions.set(face, (construction = { argv: [], flags: 0 }));
  return construction;
}

function insideOf(face: GObject.Object): Inside {
  let inside = insides.get(face);
  if (inside === undefined) insides.set(face, (inside = new Inside(constructionOf(face))));
  return inside;
}

/**
 * A child process in a sandbox, with the methods of `Gio.Subprocess`.
 *
 * A process lives on when nothing refers to it any more, as in GIO, but never longer than the program that launched it.
 */
class Subprocess extends GObject.Object {
  /**
   * Starts a process with the default permissions, which are none.
   *
   * @throws GLib.Error as `SandboxSubprocessLauncher.spawnv()`
   */
  static new(argv: readonly string[], flags: number): SandboxSubprocess {
    const subprocess = new this({ argv, flags });
    subprocess.init(null);
    return subprocess;
  }

  /** Makes a process that is not started yet: `init()` does that. */
  constructor({ argv, flags = 0 }: SubprocessProperties = { argv: [] }) {
    const properties: object = { argv, flags };
    super(properties);
  }

  set argv(argv: readonly string[]) {
    constructionOf(this).argv = argv;
  }

  set flags(flags: number) {
    constructionOf(this).flags = flags;
  }

  /**
   * Starts the process. Doing so again changes nothing.
   *
   * @throws GLib.Error as `SandboxSubprocessLauncher.spawnv()`
   */
  init(cancellable: Gio.Cancellable | null): boolean {
    return this.vfunc_init(cancellable);
  }

  /** @internal what `Gio.Initable` calls */
  vfunc_init(cancellable: Gio.Cancellable | null): boolean {
    return block(cancellable, (own) => insideOf(this).initAsync(own));
  }

  /** What holds in the process's sandbox: the same report each time, as its launcher's `explain()` gave at the launch. */
  get_report(): SandboxReport {
    let report = reports.get(this);
    if (report === undefined) reports.set(this, (report = new SandboxReport(insideOf(this).getReport())));
    return report;
  }

  /** What carries the sandbox: one of `Backend`, but AUTO. */
  get_backend(): ChosenBackend {
    return insideOf(this).getBackend();
  }

  /** The pid on the host, in decimal; null once the process has ended, and where /proc does not tell. */
  get_identifier(): string | null {
    return insideOf(this).getIdentifier();
  }

  /** The stream that is the child's standard input, the same each time; null without STDIN_PIPE. */
  get_stdin_pipe(): Gio.OutputStream | null {
    return streamOf(insideOf(this).getStdinPipe()) as Gio.OutputStream | null;
  }

  /** The stream that the child's standard output comes from, the same each time; null without STDOUT_PIPE. */
  get_stdout_pipe(): Gio.InputStream | null {
    return streamOf(insideOf(this).getStdoutPipe()) as Gio.InputStream | null;
  }

  /** The stream that the child's standard error comes from, the same each time; null without STDERR_PIPE. */
  get_stderr_pipe(): Gio.InputStream | null {
    return streamOf(insideOf(this).getStderrPipe()) as Gio.InputStream | null;
  }

  /** Waits until the process has ended, however it did. Cancelling does not touch the process. */
  wait(cancellable: Gio.Cancellable | null): boolean {
    return block(cancellable, (own) => insideOf(this).waitAsync(own));
  }

  wait_async(cancellable: Gio.Cancellable | null): PromiseLike<boolean>;
  wait_async(cancellable: Gio.Cancellable | null, callback: Callback<SandboxSubprocess> | null): void;
  wait_async(cancellable: Gio.Cancellable | null, callback?: Callback<SandboxSubprocess> | null): unknown {
    return beginOrPromise(this, cancellable, callback, (own) => insideOf(this).waitAsync(own), (result) => this.wait_finish(result));
  }

  wait_finish(result: Gio.AsyncResult): boolean {
    return finish(this, result);
  }

  /**
   * Waits until the process has ended, and takes anything but exit 0 as an error.
   *
   * @throws GLib.Error as `wait()`, and `g-spawn-exit-error-quark` with the exit status as its code, `g-exec-error-quark`
   *   FAILED for a signal, `gio-sandbox-error-quark` TIMED_OUT, LIMIT_EXCEEDED
   */
  wait_check(cancellable: Gio.Cancellable | null): boolean {
    return block(cancellable, (own) => insideOf(this).waitCheckAsync(own));
  }

  wait_check_async(cancellable: Gio.Cancellable | null): PromiseLike<boolean>;
  wait_check_async(cancellable: Gio.Cancellable | null, callback: Callback<SandboxSubprocess> | null): void;
  wait_check_async(cancellable: Gio.Cancellable | null, callback?: Callback<SandboxSubprocess> | null): unknown {
    const start = (own: Own): PromiseLike<boolean> => insideOf(this).waitCheckAsync(own);
    return beginOrPromise(this, cancellable, callback, start, (result) => this.wait_check_finish(result));
  }

  wait_check_finish(result: Gio.AsyncResult): boolean {
    return finish(this, result);
  }

  /**
   * Writes `stdin_buf` to the child, reads all its output, and waits for its end.
   *
   * @param stdin_buf null is as good as empty
   * @returns true, standard output and standard error, each null without its pipe
   * @throws TypeError for `stdin_buf` without STDIN_PIPE
   */
  communicate(stdin_buf: GLib.Bytes | Uint8Array | null, cancellable: Gio.Cancellable | null): Bytes {
    return block(cancellable, (own) => communicate(this, stdin_buf, own));
  }

  communicate_async(
    stdin_buf: GLib.Bytes | Uint8Array | null,
    cancellable: Gio.Cancellable | null,
  ): PromiseLike<Outputs<Bytes>>;
  communicate_async(
    stdin_buf: GLib.Bytes | Uint8Array | null,
    cancellable: Gio.Cancellable | null,
    callback: Callback<SandboxSubprocess> | null,
  ): void;
  communicate_async(
    stdin_buf: GLib.Bytes | Uint8Array | null,
    cancellable: Gio.Cancellable | null,
    callback?: Callback<SandboxSubprocess> | null,
  ): unknown {
    const start = (own: Own): PromiseLike<Bytes> => communicate(this, stdin_buf, own);
    return beginOrPromise(this, cancellable, callback, start, (result) => outputs(this.communicate_finish(result)));
  }

  communicate_finish(result: Gio.AsyncResult): Bytes {
    return finish(this, result);
  }

  /** The same with text: what the child writes is UTF-8, and ends at the first NUL if it has one, as in GIO. */
  communicate_utf8(stdin_buf: string | null, cancellable: Gio.Cancellable | null): Text {
    return block(cancellable, (own) => communicateUtf8(this, stdin_buf, own));
  }

  communicate_utf8_async(stdin_buf: string | null, cancellable: Gio.Cancellable | null): PromiseLike<Outputs<Text>>;
  communicate_utf8_async(
    stdin_buf: string | null,
    cancellable: Gio.Cancellable | null,
    callback: Callback<SandboxSubprocess> | null,
  ): void;
  communicate_utf8_async(
    stdin_buf: string | null,
    cancellable: Gio.Cancellable | null,
    callback?: Callback<SandboxSubprocess> | null,
  ): unknown {
    const start = (own: Own): PromiseLike<Text> => communicateUtf8(this, stdin_buf, own);
    return beginOrPromise(this, cancellable, callback, start, (result) => outputs(this.communicate_utf8_finish(result)));
  }

  communicate_utf8_finish(result: Gio.AsyncResult): Text {
    return finish(this, result);
  }

  /** Sends a signal to the process. One that has ended, or a number that is no signal, is no error. */
  send_signal(signal_num: number): void {
    insideOf(this).sendSignal(signal_num);
  }

  /** Kills the process and everything else in its sandbox. Wait for the end afterwards, if it matters. */
  force_exit(): void {
    insideOf(this).forceExit();
  }

  /** The raw wait status. @throws TypeError before the process has ended, like all of its kind */
  get_status(): WaitStatus {
    return insideOf(this).getStatus();
  }

  /** Whether the process exited with status 0. */
  get_successful(): boolean {
    return insideOf(this).getSuccessful();
  }

  /** Whether the process exited, by exit() or by returning from main(). */
  get_if_exited(): boolean {
    return insideOf(this).getIfExited();
  }

  /** @throws TypeError also if the process did not exit */
  get_exit_status(): number {
    return insideOf(this).getExitStatus();
  }

  /** Whether a signal ended the process. */
  get_if_signaled(): boolean {
    return insideOf(this).getIfSignaled();
  }

  /** @throws TypeError also if no signal ended the process */
  get_term_sig(): number {
    return insideOf(this).getTermSig();
  }

  /** What the process used, itself and its children that it waited for; null if the sandbox was lost. */
  get_resource_usage(): ResourceUsage | null {
    const usage = insideOf(this).getResourceUsage();
    return usage && snakeCased(usage);
  }
}

export type SandboxSubprocess = Subprocess;

export const SandboxSubprocess = shared("SandboxSubprocess", (): typeof Subprocess => {
  const { WRITABLE, CONSTRUCT_ONLY } = GObject.ParamFlags;
  const properties = {
    argv: GObject.ParamSpec.boxed("argv", "", "", WRITABLE | CONSTRUCT_ONLY, GLib.strv_get_type()),
    flags: GObject.ParamSpec.flags("flags", "", "", WRITABLE | CONSTRUCT_ONLY, Gio.SubprocessFlags.$gtype, 0),
  };
  GObject.registerClass({ GTypeName: "GioSandboxSubprocess", Implements: [Gio.Initable], Properties: properties }, Subprocess);
  return Subprocess;
});

type Own = Parameters<Inside["waitAsync"]>[0];

async function communicate(face: Subprocess, stdin_buf: GLib.Bytes | Uint8Array | null, own: Own): Promise<Bytes> {
  const [stdout, stderr] = await insideOf(face).communicateAsync(bytesOf(stdin_buf), own);
  return [true, stdout && new GLib.Bytes(stdout), stderr && new GLib.Bytes(stderr)];
}

async function communicateUtf8(face: Subprocess, stdin_buf: string | null, own: Own): Promise<Text> {
  return [true, ...(await insideOf(face).communicateUtf8Async(stdin_buf, own))];
}

/** In this bundle the pipes are those of our own pipe-ends.ts. */
function streamOf(pipe: unknown): Gio.InputStream | Gio.OutputStream | null {
  return (pipe as PipeEnd | null)?.stream ?? null;
}

function bytesOf(bytes: GLib.Bytes | Uint8Array | null): Uint8Array | null {
  return bytes instanceof GLib.Bytes ? bytes.toArray() : bytes;
}

/** What `Gio._promisify()` makes of what a method gives. */
function outputs<All extends [boolean, ...unknown[]]>([, ...rest]: All): Outputs<All> {
  return rest as Outputs<All>;
}

/** @internal the face of a process that was started */
export function faceSubprocess(inside: Inside): SandboxSubprocess {
  const face = new SandboxSubprocess({ argv: [] });
  insides.set(face, inside);
  return face;
}

/** @internal ends a process that nobody will hear of */
export function discardSubprocess(face: SandboxSubprocess): void {
  face.force_exit();
  for (const pipe of [face.get_stdin_pipe(), face.get_stdout_pipe(), face.get_stderr_pipe()]) pipe?.close(null);
}
