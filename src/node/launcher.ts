import { env } from "node:process";
import type { PermissionSet } from "../permissions/permission-set.js";
import { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import { Backend } from "../plan/choose-backend.js";
import type { Aspect } from "../plan/guarantees.js";
import { DEFAULT_REQUIRED, requiredAspects } from "../plan/guarantees.js";
import type { SandboxReport } from "../plan/sandbox-report.js";
import { checkArguments } from "../subprocess/arguments.js";
import type { Environment } from "../subprocess/environment.js";
import {
  checkEnvironment,
  checkVariableName,
  checkVariableValue,
  defaultEnvironment,
  getVariable,
  PATH_WITHOUT_PATH,
  setVariable,
  unsetVariable,
} from "../subprocess/environment.js";
import type { StreamOverrides } from "../subprocess/flags.js";
import { checkDispositions, Stream, streamWord, SubprocessFlags } from "../subprocess/flags.js";
import { ioError } from "../subprocess/glib-error.js";
import type { FindBackend } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import { checkLaunch } from "./check-launch.js";
import { backendFor } from "./choose-backend.js";
import { childDirectories } from "./child-directories.js";
import { DescriptorScope } from "./descriptor-scope.js";
import type { ExplainedLaunch } from "./explain.js";
import { explain, foreseenContents } from "./explain.js";
import { launchProcess } from "./launch-process.js";
import type { SandboxUse } from "./open-sandbox.js";
import type { RunningProcess } from "./running-process.js";
import { closeUnlessBorrowed, isOpen } from "./plain-descriptors.js";
import type { Sandbox } from "./sandbox.js";
import { openSandbox, openSandboxOf } from "./sandbox.js";
import type { SandboxPool } from "./sandbox-pool.js";
import { sandboxPool } from "./sandbox-pool.js";
import type { SandboxSubprocess } from "./subprocess.js";
import { subprocessOf } from "./subprocess.js";
import { callsAtHand } from "./system-calls.js";

/** What `new SandboxSubprocessLauncher()` takes, as GObject properties. */
export interface LauncherProperties {
  /** A combination of `SubprocessFlags`; `NONE` if absent. */
  readonly flags?: SubprocessFlags;
  /** What the children may do; nothing if absent. */
  readonly permissions?: SandboxPermissions;
  /** Milliseconds that a child may take; null or absent: any time. */
  readonly timeout?: number | null;
  /** The open sandbox to put the children into; null or absent: each gets one of its own. */
  readonly sandbox?: Sandbox | null;
  /** One of `Backend`; `AUTO` if absent. */
  readonly backend?: Backend;
  /** The aspects of a sandbox that must be enforced in full; see the property of the same name. */
  readonly requiredGuarantees?: readonly Aspect[];
}

/** What a launcher has started, for a `SandboxSubprocess`. */
export interface StartedChild {
  readonly running: RunningProcess;
  readonly maximumOutput: number;
  /** What holds for it. */
  readonly report: () => SandboxReport;
}

/** The most sandboxes that are kept ready: each is a process and some hundred kilobytes. */
const MOST_PREWARMED = 64;

/** Bytes that `communicateAsync()` takes from one stream of a child unless the launcher says otherwise. */
export const DEFAULT_MAXIMUM_OUTPUT = 128 * 1024 * 1024;

/**
 * Launches child processes in sandboxes, with the methods of `Gio.SubprocessLauncher`.
 *
 * Two things differ from GIO. The environment of a child does not start from the parent's, but from a small fixed set: see
 * `setEnviron()`. And its working directory, like `argv[0]`, is a path inside the sandbox. Files for standard streams are
 * opened by the parent, outside of it.
 */
export class SandboxSubprocessLauncher {
  #flags: SubprocessFlags = SubprocessFlags.NONE;
  #permissions: SandboxPermissions;
  #timeout: number | null = null;
  #sandbox: Sandbox | null = null;
  #backend: Backend = Backend.AUTO;
  #required: readonly Aspect[] | null;
  #pool: SandboxPool | null = null;
  #prewarmed = 0;
  #maximumOutput = DEFAULT_MAXIMUM_OUTPUT;
  #environment: Environment;
  /** The variables that the launcher itself was told of, which its permissions' do not change; null: all of them. */
  #ownVariables: Set<string> | null = new Set();
  #directory = "/";
  #settings: Record<Stream, StreamOverrides> = {
    [Stream.STDIN]: unset,
    [Stream.STDOUT]: unset,
    [Stream.STDERR]: unset,
  };
  #table: { readonly source: number; readonly target: number }[] = [];
  #isClosed = false;

  /** @throws TypeError for flags that contradict each other */
  constructor({
    flags = SubprocessFlags.NONE,
    permissions,
    timeout = null,
    sandbox = null,
    backend = Backend.AUTO,
    requiredGuarantees,
  }: LauncherProperties = {}) {
    this.#environment = defaultEnvironment(env, childDirectories());
    this.#permissions = permissions ?? sandbox?.permissions ?? new SandboxPermissions();
    this.#sandbox = sandbox;
    this.setFlags(flags);
    this.timeout = timeout;
    this.backend = backend;
    this.#required = requiredGuarantees === undefined ? null : requiredAspects(requiredGuarantees);
  }

  /** As `new Gio.SubprocessLauncher(flags)` in C. */
  static new(flags: SubprocessFlags): SandboxSubprocessLauncher {
    return new SandboxSubprocessLauncher({ flags });
  }

  /** What the children may do. Frozen by the first launch. */
  get permissions(): SandboxPermissions {
    return this.#permissions;
  }

  set permissions(permissions: SandboxPermissions) {
    this.#permissions = permissions;
    if (this.#pool !== null) this.prewarm(this.#prewarmed);
  }

  /**
   * Milliseconds that a child may take before it is killed with all that it started; null: any time. If the permissions
   * have a limit `timeout` too, the smaller one counts.
   */
  get timeout(): number | null {
    return this.#timeout;
  }

  set timeout(milliseconds: number | null) {
    if (milliseconds !== null && !(milliseconds > 0 && milliseconds <= Number.MAX_SAFE_INTEGER)) {
      throw new TypeError(`Expected a number of milliseconds above 0, or null, but got ${milliseconds}.`);
    }
    this.#timeout = milliseconds;
  }

  /**
   * The open sandbox to put the children into; null: each gets one of its own. What the children may do is up to the
   * sandbox then; of the launcher's `permissions` only limits count, for each child by itself.
   */
  get sandbox(): Sandbox | null {
    return this.#sandbox;
  }

  set sandbox(sandbox: Sandbox | null) {
    this.#sandbox = sandbox;
  }

  /** What is to carry the sandboxes. One that cannot be had here is an error, never replaced by another. */
  get backend(): Backend {
    return this.#backend;
  }

  set backend(backend: Backend) {
    if (!Object.values(Backend).includes(backend)) {
      throw new TypeError(`Expected a backend (${Object.values(Backend).join(", ")}), but got ${JSON.stringify(backend)}.`);
    }
    this.#backend = backend;
  }

  /**
   * The aspects of a sandbox that must be enforced in full, or nothing is started: NOT_ENFORCEABLE. At first
   * `filesystem`, `network`, `buses`, `display`, `devices`, `privileges` and `lifetime`; the others are reported. With
   * the backend NONE, which is asked for by name, nothing is required until this is set.
   */
  get requiredGuarantees(): readonly Aspect[] {
    return this.#required ?? (this.#backend === Backend.NONE ? [] : DEFAULT_REQUIRED);
  }

  set requiredGuarantees(aspects: readonly Aspect[]) {
    this.#required = requiredAspects(aspects);
  }

  /**
   * What a child of this launcher will be able to do, and what it will observe, as things are now. Nothing is started for
   * it, and nothing tried: whether the backend works here, a launch tells.
   *
   * It is no promise that the required guarantees hold: `SandboxReport.checkRequired()` says that, as a launch does.
   *
   * @throws GLibError as `spawnvAsync()`, for permissions that cannot be granted and for a backend that is not there
   */
  explain(): SandboxReport {
    using scope = new DescriptorScope();
    const launch = this.#explained();
    return explain(launch, foreseenContents(launch.backend, launch.permissions, scope));
  }

  /**
   * Opens a sandbox with the launcher's permissions, for this launcher or others to put children into.
   *
   * @param use `kept`: for any number of processes, until it is closed; `single`: it ends with its first process
   * @throws GLibError as `spawnvAsync()`, for what concerns the sandbox and not a command
   */
  async openSandboxAsync(use: SandboxUse = "kept", cancellable: Cancellable | null = null): Promise<Sandbox> {
    checkLaunch(this.#explained());
    return openSandbox(this.#findBackend(), this.#permissions, use, cancellable);
  }

  /**
   * Keeps sandboxes with the launcher's permissions ready, so that a launch need not wait for one to be made. Each is for
   * one child, as isolated as without this. They are made anew when there is time, given back after a minute without a
   * launch until the next one, and when other permissions are set; what they were granted is looked up when they are made.
   *
   * @param sandboxes how many, at most 64; 0, as at first, for none
   */
  prewarm(sandboxes: number): void {
    if (!Number.isInteger(sandboxes) || sandboxes < 0 || sandboxes > MOST_PREWARMED) {
      throw new TypeError(`Expected a number of sandboxes from 0 to ${MOST_PREWARMED}, but got ${sandboxes}.`);
    }
    if (sandboxes > 0) checkLaunch(this.#explained());
    this.#pool?.close();
    this.#prewarmed = sandboxes;
    this.#pool = sandboxes === 0 ? null : sandboxPool(this.#findBackend(), this.#permissions.freeze().snapshot(), sandboxes);
  }

  /** Bytes that `communicateAsync()` takes from each stream of a child before it gives up: 128 MiB at first. */
  get maximumOutput(): number {
    return this.#maximumOutput;
  }

  set maximumOutput(bytes: number) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new TypeError(`Expected a number of bytes, but got ${bytes}.`);
    this.#maximumOutput = bytes;
  }

  /**
   * Starts a child.
   *
   * @param argv the program and its arguments: without a slash in it the program is looked up in the sandbox's PATH
   *   (`/usr/local/bin:/usr/bin:/bin`), or in that of the launcher's environment with SEARCH_PATH_FROM_ENVP
   * @returns a promise of a child whose program has been executed
   * @throws TypeError for an argv that is empty or contains a NUL
   * @throws GLibError `g-exec-error-quark` NOENT, ACCES, CHDIR and so on, as GIO; `g-io-error-quark` CLOSED after
   *   `close()`, CANCELLED, NOT_FOUND and so on for files and granted paths; `gio-sandbox-error-quark` NOT_AVAILABLE if no
   *   sandbox can be had on this system, NOT_ENFORCEABLE if it would not be what is required, SETUP_FAILED if this one
   *   could not be set up
   */
  async spawnvAsync(argv: readonly string[], cancellable: Cancellable | null = null): Promise<SandboxSubprocess> {
    return subprocessOf({ argv, flags: this.#flags }, await this.launch(argv, cancellable));
  }

  /** Starts a child for a `SandboxSubprocess`. */
  async launch(
    argv: readonly string[],
    cancellable: Cancellable | null,
  ): Promise<StartedChild> {
    checkArguments(argv);
    if (this.#isClosed) {
      throw ioError("CLOSED", "Can't spawn a new child because a passed file descriptor has been closed.");
    }
    const maximumOutput = this.#maximumOutput;
    const explained = this.#explained();
    checkLaunch(explained);
    const request = {
      command: {
        argv: [...argv],
        environment: this.#childEnvironment,
        directory: this.#directory,
        searchPath: this.#searchPath,
        timeout: this.#timeout,
      },
      flags: this.#flags,
      settings: this.#settings,
      table: this.#table,
      permissions: this.#permissions.freeze().snapshot(),
      backend: this.#findBackend(),
      sandbox: this.#sandbox === null ? (this.#pool?.take() ?? null) : openSandboxOf(this.#sandbox),
    };
    const { running, contents } = await launchProcess(request, cancellable);
    return { running, maximumOutput, report: () => explain(explained, contents) };
  }

  /**
   * Replaces the children's environment: `NAME=VALUE` each. At first it is PATH, HOME and the XDG directories inside the
   * sandbox, and the parent's LANG, LANGUAGE, LC_* and TERM. An empty list is an empty environment; null is a copy of the
   * parent's, as in C. What the permissions say of variables does not count then; nor does it for those that `setenv()` and
   * `unsetenv()` were told of.
   */
  setEnviron(environ: readonly string[] | null): void {
    const environment = environ ?? Object.entries(env).map(([name, value]) => `${name}=${value ?? ""}`);
    checkEnvironment(environment);
    this.#environment = [...environment];
    this.#ownVariables = null;
  }

  setenv(variable: string, value: string, overwrite: boolean): void {
    checkVariableName(variable);
    checkVariableValue(variable, value);
    if (!overwrite && this.getenv(variable) !== null) return;
    this.#environment = setVariable(this.#environment, variable, value);
    this.#ownVariables?.add(variable);
  }

  unsetenv(variable: string): void {
    checkVariableName(variable);
    this.#environment = unsetVariable(this.#environment, variable);
    this.#ownVariables?.add(variable);
  }

  /** What the children will find in this variable; null if nothing. */
  getenv(variable: string): string | null {
    return getVariable(this.#childEnvironment, variable);
  }

  /** Sets the children's working directory, a path inside the sandbox. Null is `/`, as at first. */
  setCwd(cwd: string | null): void {
    if (cwd !== null) checkPath(cwd);
    this.#directory = cwd ?? "/";
  }

  /** @throws TypeError for flags that contradict each other, or what was set for a stream otherwise */
  setFlags(flags: SubprocessFlags): void {
    checkDispositions(flags, this.#settings);
    this.#flags = flags;
  }

  /** Has the children read their standard input from a file, which the parent opens at each launch. Null undoes that. */
  setStdinFilePath(path: string | null): void {
    this.#setPath(Stream.STDIN, path);
  }

  /** Has the children write their standard output to a file, made or emptied by the parent at each launch. */
  setStdoutFilePath(path: string | null): void {
    this.#setPath(Stream.STDOUT, path);
  }

  /** Has the children write their standard error to a file, made or emptied by the parent at each launch. */
  setStderrFilePath(path: string | null): void {
    this.#setPath(Stream.STDERR, path);
  }

  /**
   * Gives the children a descriptor as their standard input. The launcher owns it from now on, and closes it when another
   * one is set, or at `close()`. -1 undoes that.
   */
  takeStdinFd(fd: number): void {
    this.#takeStream(Stream.STDIN, fd);
  }

  /** Gives the children a descriptor as their standard output: see `takeStdinFd()`. */
  takeStdoutFd(fd: number): void {
    this.#takeStream(Stream.STDOUT, fd);
  }

  /** Gives the children a descriptor as their standard error: see `takeStdinFd()`. */
  takeStderrFd(fd: number): void {
    this.#takeStream(Stream.STDERR, fd);
  }

  /**
   * Gives the children the descriptor `sourceFd` as their number `targetFd`. The launcher owns it from now on, and closes
   * it at `close()`; every child gets it until then. Of equal targets the last counts.
   *
   * Linux lets a process open what its descriptors refer to again, through /proc/self/fd, with any access that the file's
   * mode gives its user: a file that was opened to be read is no secret to a child, but not safe from its writing either.
   * A pipe, a sealed memfd or a granted path with `:ro` is. This is as true of files for standard input.
   */
  takeFd(sourceFd: number, targetFd: number): void {
    if (!Number.isInteger(sourceFd) || !Number.isInteger(targetFd)) {
      throw new TypeError(`Expected two descriptors, but got ${sourceFd} and ${targetFd}.`);
    }
    if (this.#isClosed) throw ioError("CLOSED", "A launcher that was closed takes no more descriptors.");
    this.#table.push({ source: sourceFd, target: targetFd });
  }

  /** Closes all descriptors that the launcher has taken, and sandboxes that it keeps ready; it cannot launch anything after that. Children are not touched. */
  close(): void {
    const streams = Object.values(Stream).map((stream) => this.#settings[stream].fd);
    const taken = new Set([...streams, ...this.#table.map(({ source }) => source)]);
    this.#isClosed = true;
    this.prewarm(0);
    this.#table = [];
    for (const stream of Object.values(Stream)) this.#settings[stream] = { ...this.#settings[stream], fd: null };
    for (const fd of taken) if (fd !== null) closeTaken(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #explained(): ExplainedLaunch {
    return {
      backend: this.#backend,
      required: this.requiredGuarantees,
      permissions: this.#sandbox === null ? this.#permissions.snapshot() : this.#permissionsIn(this.#sandbox),
      environment: this.#childEnvironment,
      directory: this.#directory,
      descriptors: this.#table.map(({ target }) => target),
      timeout: this.#timeout,
    };
  }

  /** What a child may do is up to the open sandbox, but for limits of its own. */
  #permissionsIn(sandbox: Sandbox): PermissionSet {
    const { limits: own } = this.#permissions.snapshot();
    const { limits: common, ...permissions } = sandbox.permissions.snapshot();
    const tmpfs = [...common].filter(([limit]) => limit === "tmpfs");
    return { ...permissions, limits: new Map([...[...own].filter(([limit]) => limit !== "tmpfs"), ...tmpfs]) };
  }

  get #childEnvironment(): Environment {
    const own = this.#ownVariables;
    if (own === null) return this.#environment;
    const others = [...this.#permissions.snapshot().environment].filter(([name]) => !own.has(name));
    return others.reduce(
      (environment, [name, value]) =>
        value === null ? unsetVariable(environment, name) : setVariable(environment, name, value),
      this.#environment,
    );
  }

  /** For the backend as it is set now. */
  #findBackend(): FindBackend {
    const backend = this.#backend;
    return () => backendFor(backend);
  }

  get #searchPath(): string {
    if ((this.#flags & SubprocessFlags.SEARCH_PATH_FROM_ENVP) === 0) return childDirectories().programs;
    return this.getenv("PATH") ?? PATH_WITHOUT_PATH;
  }

  #setPath(stream: Stream, path: string | null): void {
    if (path !== null) checkPath(path);
    this.#set(stream, { ...this.#settings[stream], path });
  }

  #takeStream(stream: Stream, fd: number): void {
    if (!Number.isInteger(fd) || fd < -1) {
      throw new TypeError(`Expected a descriptor for ${streamWord(stream)}, or -1, but got ${fd}.`);
    }
    if (this.#isClosed) throw ioError("CLOSED", "A launcher that was closed takes no more descriptors.");
    const old = this.#settings[stream].fd;
    this.#set(stream, { ...this.#settings[stream], fd: fd === -1 ? null : fd });
    if (old !== null && old !== fd) closeTaken(old);
    // without koffi that cannot be had; what is started for our own children passes on what it is told to, and no more
    const calls = callsAtHand();
    if (fd !== -1 && calls?.isOpen(fd) === true) calls.setCloseOnExec(fd);
  }

  #set(stream: Stream, overrides: StreamOverrides): void {
    const settings = { ...this.#settings, [stream]: overrides };
    checkDispositions(this.#flags, settings);
    this.#settings = settings;
  }
}

const unset: StreamOverrides = { fd: null, path: null };

function checkPath(path: string): void {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new TypeError(`Expected a path, but got ${JSON.stringify(path)}.`);
  }
}

/** Closes a descriptor that the caller may have closed behind our back: that is no reason to fail. */
function closeTaken(fd: number): void {
  if (isOpen(fd)) closeUnlessBorrowed(fd);
}
