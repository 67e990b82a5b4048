import Gio from "gi://Gio?version=2.0";
import GObject from "gi://GObject?version=2.0";
import { DEFAULT_MAXIMUM_OUTPUT, SandboxSubprocessLauncher as Inside } from "../../node/launcher.js";
import type { SandboxUse } from "../../node/open-sandbox.js";
import { Backend } from "../../plan/choose-backend.js";
import type { Aspect } from "../../plan/guarantees.js";
import type { Callback } from "./operation.js";
import { beginOrPromise, block, call, finish } from "./operation.js";
import type { Sandbox } from "./sandbox.js";
import { faceSandbox, Sandbox as SandboxClass, sandboxOf } from "./sandbox.js";
import type { SandboxPermissions } from "./sandbox-permissions.js";
import { facePermissions, permissionsOf } from "./sandbox-permissions.js";
import { SandboxReport } from "./sandbox-report.js";
import type { SandboxSubprocess } from "./sandbox-subprocess.js";
import { discardSubprocess, faceSubprocess } from "./sandbox-subprocess.js";
import { shared } from "./shared.js";

/** What `new SandboxSubprocessLauncher()` takes. */
export interface LauncherProperties {
  /** A combination of `Gio.SubprocessFlags`; `NONE` if absent. */
  readonly flags?: number;
  /** What the children may do; nothing if absent. */
  readonly permissions?: SandboxPermissions;
  /** Milliseconds that a child may take; null or absent: any time. */
  readonly timeout?: number | null;
  /** The open sandbox to put the children into; null or absent: each gets one of its own. */
  readonly sandbox?: Sandbox | null;
  /** One of `Backend`; `AUTO` if absent. */
  readonly backend?: Backend;
  /** The aspects of a sandbox that must be enforced in full; see the property of the same name. */
  readonly required_guarantees?: readonly Aspect[];
}

interface State {
  readonly inside: Inside;
  /** As they were set, so that they are the same objects when they are read. */
  permissions: SandboxPermissions | null;
  sandbox: Sandbox | null;
}

const states = new WeakMap<GObject.Object, State>();
const constructedFlags = new WeakMap<GObject.Object, number>();

function stateOf(face: GObject.Object): State {
  let state = states.get(face);
  if (state === undefined) {
    const inside = new Inside({ flags: constructedFlags.get(face) ?? 0 });
    states.set(face, (state = { inside, permissions: null, sandbox: null }));
  }
  return state;
}

function insideOf(face: GObject.Object): Inside {
  return stateOf(face).inside;
}

/**
 * Launches child processes in sandboxes, with the methods of `Gio.SubprocessLauncher`.
 *
 * Two things differ from GIO. The environment of a child does not start from the parent's, but from a small fixed set: see
 * `set_environ()`. And its working directory, like `argv[0]`, is a path inside the sandbox. Files for standard streams are
 * opened by the parent, outside of it.
 */
class Launcher extends GObject.Object {
  /** @throws TypeError for flags that contradict each other */
  static new(flags: number): SandboxSubprocessLauncher {
    return new this({ flags });
  }

  /** @throws TypeError for flags that contradict each other, and for properties that are not what they have to be */
  constructor(properties: LauncherProperties = {}) {
    if (typeof properties !== "object") throw new TypeError(`Expected an object with properties, but got ${String(properties)}.`);
    const { permissions, timeout, sandbox, backend, required_guarantees, ...others } = properties;
    super(others);
    const inside = insideOf(this);
    if (sandbox !== undefined) this.sandbox = sandbox;
    if (permissions !== undefined) this.permissions = permissions;
    else if (sandbox !== undefined && sandbox !== null) this.permissions = sandbox.permissions;
    if (timeout !== undefined) inside.timeout = timeout;
    if (backend !== undefined) inside.backend = backend;
    if (required_guarantees !== undefined) inside.requiredGuarantees = required_guarantees;
  }

  set flags(flags: number) {
    constructedFlags.set(this, flags);
  }

  /** What the children may do. Frozen by the first launch. */
  get permissions(): SandboxPermissions {
    const state = stateOf(this);
    return (state.permissions ??= facePermissions(state.inside.permissions));
  }

  set permissions(permissions: SandboxPermissions) {
    const state = stateOf(this);
    call(() => (state.inside.permissions = permissionsOf(permissions)));
    state.permissions = permissions;
  }

  /**
   * Milliseconds that a child may take before it is killed with all that it started; null: any time. If the permissions
   * have a limit `timeout` too, the smaller one counts.
   */
  get timeout(): number | null {
    return insideOf(this).timeout;
  }

  set timeout(milliseconds: number | null) {
    insideOf(this).timeout = milliseconds;
  }

  /**
   * The open sandbox to put the children into; null: each gets one of its own. What the children may do is up to the
   * sandbox then; of the launcher's `permissions` only limits count, for each child by itself.
   */
  get sandbox(): Sandbox | null {
    return stateOf(this).sandbox;
  }

  set sandbox(sandbox: Sandbox | null) {
    const state = stateOf(this);
    state.inside.sandbox = sandbox === null ? null : sandboxOf(sandbox);
    state.sandbox = sandbox;
  }

  /** What is to carry the sandboxes. One that cannot be had here is an error, never replaced by another. */
  get backend(): Backend {
    return insideOf(this).backend;
  }

  set backend(backend: Backend) {
    insideOf(this).backend = backend;
  }

  /**
   * The aspects of a sandbox that must be enforced in full, or nothing is started: NOT_ENFORCEABLE. At first
   * `filesystem`, `network`, `buses`, `display`, `devices`, `privileges` and `lifetime`; the others are reported. With
   * the backend NONE, which is asked for by name, nothing is required until this is set.
   */
  get required_guarantees(): readonly Aspect[] {
    return insideOf(this).requiredGuarantees;
  }

  set required_guarantees(aspects: readonly Aspect[]) {
    insideOf(this).requiredGuarantees = aspects;
  }

  /** Bytes that `communicate()` takes from each stream of a child before it gives up: 128 MiB at first. */
  get maximum_output(): number {
    return insideOf(this).maximumOutput;
  }

  set maximum_output(bytes: number) {
    insideOf(this).maximumOutput = bytes;
  }

  /**
   * What a child of this launcher will be able to do, and what it will observe, as things are now. Nothing is started for
   * it, and nothing tried.
   *
   * @throws GLib.Error as `spawnv()`, for permissions that cannot be granted and for a backend that is not there
   */
  explain(): SandboxReport {
    return new SandboxReport(call(() => insideOf(this).explain()));
  }

  /**
   * Opens a sandbox with the launcher's permissions, for this launcher or others to put children into.
   *
   * @param use `kept`: for any number of processes, until it is closed; `single`: it ends with its first process
   */
  open_sandbox(use: SandboxUse, cancellable: Gio.Cancellable | null): Sandbox {
    return faceSandbox(block(cancellable, (own) => insideOf(this).openSandboxAsync(use, own)));
  }

  open_sandbox_async(use: SandboxUse, cancellable: Gio.Cancellable | null): PromiseLike<Sandbox>;
  open_sandbox_async(
    use: SandboxUse,
    cancellable: Gio.Cancellable | null,
    callback: Callback<SandboxSubprocessLauncher> | null,
  ): void;
  open_sandbox_async(
    use: SandboxUse,
    cancellable: Gio.Cancellable | null,
    callback?: Callback<SandboxSubprocessLauncher> | null,
  ): unknown {
    const start = async (own: Own): Promise<Sandbox> => faceSandbox(await insideOf(this).openSandboxAsync(use, own));
    return beginOrPromise(this, cancellable, callback, start, (result) => this.open_sandbox_finish(result));
  }

  open_sandbox_finish(result: Gio.AsyncResult): Sandbox {
    return finish(this, result, (sandbox: Sandbox) => sandbox.close());
  }

  /**
   * Keeps sandboxes with the launcher's permissions ready, so that a launch need not wait for one to be made. Each is for
   * one child, as isolated as without this. They are made anew when there is time, given back after a minute without a
   * launch until the next one, and when other permissions are set; what they were granted is looked up when they are made.
   *
   * @param sandboxes how many, at most 64; 0, as at first, for none
   */
  prewarm(sandboxes: number): void {
    call(() => insideOf(this).prewarm(sandboxes));
  }

  /**
   * Starts a child, and waits until its program has been executed.
   *
   * @param argv the program and its arguments: without a slash in it the program is looked up in the sandbox's PATH
   *   (`/usr/local/bin:/usr/bin:/bin`), or in that of the launcher's environment with SEARCH_PATH_FROM_ENVP
   * @throws TypeError for an argv that is empty or contains a NUL
   * @throws GLib.Error `g-exec-error-quark` NOENT, ACCES, CHDIR and so on, as GIO; `g-io-error-quark` CLOSED after
   *   `close()`, NOT_FOUND and so on for files and granted paths; `gio-sandbox-error-quark` NOT_AVAILABLE if no sandbox
   *   can be had on this system, NOT_ENFORCEABLE if it would not be what is required, SETUP_FAILED if this one could not
   *   be set up
   */
  spawnv(argv: readonly string[]): SandboxSubprocess {
    return faceSubprocess(block(null, (own) => insideOf(this).spawnvAsync(argv, own)));
  }

  spawnv_async(argv: readonly string[], cancellable: Gio.Cancellable | null): PromiseLike<SandboxSubprocess>;
  spawnv_async(
    argv: readonly string[],
    cancellable: Gio.Cancellable | null,
    callback: Callback<SandboxSubprocessLauncher> | null,
  ): void;
  spawnv_async(
    argv: readonly string[],
    cancellable: Gio.Cancellable | null,
    callback?: Callback<SandboxSubprocessLauncher> | null,
  ): unknown {
    const start = async (own: Own): Promise<SandboxSubprocess> => faceSubprocess(await insideOf(this).spawnvAsync(argv, own));
    return beginOrPromise(this, cancellable, callback, start, (result) => this.spawnv_finish(result));
  }

  spawnv_finish(result: Gio.AsyncResult): SandboxSubprocess {
    return finish(this, result, discardSubprocess);
  }

  /**
   * Replaces the children's environment: `NAME=VALUE` each. At first it is PATH, HOME and the XDG directories inside the
   * sandbox, and the parent's LANG, LANGUAGE, LC_* and TERM. An empty list is an empty environment; null is a copy of the
   * parent's, as in C. What the permissions say of variables does not count then; nor does it for those that `setenv()`
   * and `unsetenv()` were told of.
   */
  set_environ(env: readonly string[] | null): void {
    insideOf(this).setEnviron(env);
  }

  setenv(variable: string, value: string, overwrite: boolean): void {
    insideOf(this).setenv(variable, value, overwrite);
  }

  unsetenv(variable: string): void {
    insideOf(this).unsetenv(variable);
  }

  /** What the children will find in this variable; null if nothing. */
  getenv(variable: string): string | null {
    return insideOf(this).getenv(variable);
  }

  /** Sets the children's working directory, a path inside the sandbox. Null is `/`, as at first. */
  set_cwd(cwd: string | null): void {
    insideOf(this).setCwd(cwd);
  }

  /** @throws TypeError for flags that contradict each other, or what was set for a stream otherwise */
  set_flags(flags: number): void {
    insideOf(this).setFlags(flags);
  }

  /** Has the children read their standard input from a file, which the parent opens at each launch. Null undoes that. */
  set_stdin_file_path(path: string | null): void {
    insideOf(this).setStdinFilePath(path);
  }

  /** Has the children write their standard output to a file, made or emptied by the parent at each launch. */
  set_stdout_file_path(path: string | null): void {
    insideOf(this).setStdoutFilePath(path);
  }

  /** Has the children write their standard error to a file, made or emptied by the parent at each launch. */
  set_stderr_file_path(path: string | null): void {
    insideOf(this).setStderrFilePath(path);
  }

  /**
   * Gives the children a descriptor as their standard input. The launcher owns it from now on, and closes it when another
   * one is set, or at `close()`. -1 undoes that.
   */
  take_stdin_fd(fd: number): void {
    call(() => insideOf(this).takeStdinFd(fd));
  }

  /** Gives the children a descriptor as their standard output: see `take_stdin_fd()`. */
  take_stdout_fd(fd: number): void {
    call(() => insideOf(this).takeStdoutFd(fd));
  }

  /** Gives the children a descriptor as their standard error: see `take_stdin_fd()`. */
  take_stderr_fd(fd: number): void {
    call(() => insideOf(this).takeStderrFd(fd));
  }

  /**
   * Gives the children the descriptor `source_fd` as their number `target_fd`. The launcher owns it from now on, and closes
   * it at `close()`; every child gets it until then. Of equal targets the last counts.
   */
  take_fd(source_fd: number, target_fd: number): void {
    call(() => insideOf(this).takeFd(source_fd, target_fd));
  }

  /**
   * Closes all descriptors that the launcher has taken, and sandboxes that it keeps ready; it cannot launch anything after
   * that. Children are not touched.
   */
  close(): void {
    insideOf(this).close();
  }
}

export type SandboxSubprocessLauncher = Launcher;

export const SandboxSubprocessLauncher = shared("SandboxSubprocessLauncher", (): typeof Launcher => {
  const { WRITABLE, CONSTRUCT_ONLY, READWRITE } = GObject.ParamFlags;
  const most = Number.MAX_SAFE_INTEGER;
  // without `timeout`, whose null no GValue of a number has
  const properties = {
    flags: GObject.ParamSpec.flags("flags", "", "", WRITABLE | CONSTRUCT_ONLY, Gio.SubprocessFlags.$gtype, 0),
    permissions: GObject.ParamSpec.object("permissions", "", "", READWRITE, GObject.type_from_name("GioSandboxPermissions")),
    sandbox: GObject.ParamSpec.object("sandbox", "", "", READWRITE, SandboxClass.$gtype),
    backend: GObject.ParamSpec.string("backend", "", "", READWRITE, Backend.AUTO),
    "required-guarantees": GObject.ParamSpec.jsobject("required-guarantees", "", "", READWRITE),
    "maximum-output": GObject.ParamSpec.int64("maximum-output", "", "", READWRITE, 0, most, DEFAULT_MAXIMUM_OUTPUT),
  };
  GObject.registerClass({ GTypeName: "GioSandboxSubprocessLauncher", Properties: properties }, Launcher);
  return Launcher;
});

type Own = Parameters<Inside["spawnvAsync"]>[1];
