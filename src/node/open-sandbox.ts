import { HelloFlag, SignalScope } from "../init/protocol.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { DesktopPlan } from "../plan/desktop-plan.js";
import { desktopEnvironment, emptyDesktop } from "../plan/desktop-plan.js";
import type { PlacedMount } from "../plan/host-path.js";
import { launchFailureError } from "../plan/launch-failure.js";
import { planProcess } from "../plan/process-launch.js";
import { cancelledError, ioError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { FindBackend, PreparedSandbox } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled, whenCancelled } from "./cancellable.js";
import { DescriptorScope } from "./descriptor-scope.js";
import type { GrantedPaths } from "./granted-paths.js";
import { openGrantedPaths } from "./granted-paths.js";
import { findHostPid } from "./host-processes.js";
import type { SandboxContents } from "./explain.js";
import type { InitSession } from "./init-session.js";
import { greet, sessionOf } from "./init-session.js";
import type { LimitScope } from "./limit-scope.js";
import { openLimitScope, scopeable } from "./limit-scope.js";
import { listed } from "./listed.js";
import type { ProcessScope } from "./process-scope.js";
import { SingleUseScope } from "./process-scope.js";
import { ProcessStart } from "./process-start.js";
import { startCarrier } from "./start-carrier.js";
import type { ProcessEnd } from "./scoped-end.js";
import { scopedEnd } from "./scoped-end.js";

const SIGKILL = 9;

/** Whether a sandbox is for one process, and ends with it, or for any number. */
export type SandboxUse = "single" | "kept";

/** A process that has been started in an open sandbox. */
export interface StartedProcess {
  readonly scope: ProcessScope;
  /** As of `ProcessStart`. */
  readonly exited: Promise<ProcessEnd>;
  /** The cgroup around its sandbox, if it has one. */
  readonly limitScope: LimitScope | null;
  readonly contents: SandboxContents;
}

/** What a sandbox was made of, as far as those that are put into it have to do with that. */
interface MadeSandbox {
  readonly granted: GrantedPaths;
  readonly desktop: DesktopPlan;
  readonly filters: readonly Uint8Array[];
  readonly tmpfs: readonly string[] | undefined;
  readonly limitScope: Promise<LimitScope | null>;
}

/** A sandbox with its init, which processes can be put into. */
export class OpenSandbox {
  readonly #session: InitSession;
  readonly #use: SandboxUse;
  readonly #made: MadeSandbox;
  #running = 0;
  #isVerified = false;
  #isOutOfMemory = false;
  /** Told each time that what ran in it was killed for its memory. */
  onOutOfMemory: () => void = () => undefined;

  /**
   * Opens one: it has been set up when the promise resolves. It does not keep the program alive while no process runs.
   *
   * @throws GLibError as of a launch
   */
  static async open(
    findBackend: FindBackend,
    permissions: PermissionSet,
    use: SandboxUse,
    cancellable: Cancellable | null,
  ): Promise<OpenSandbox> {
    throwIfCancelled(cancellable);
    using scope = new DescriptorScope();
    const granted = openGrantedPaths(permissions, scope);
    const backend = await findBackend();
    for (;;) {
      const launch = await backend.prepareOpen(permissions, granted, use === "single" ? HelloFlag.SINGLE_USE : 0);
      const session = sessionOf(startCarrier(launch, cancellable));
      try {
        await greet(session, launch);
        await whenReady(session, cancellable);
      } catch (error) {
        if (session.couldNotBeSetUp && launch.retry?.() === true) continue;
        throw error;
      }
      session.unref();
      return OpenSandbox.ofSession(session, use, permissions, granted, launch);
    }
  }

  /**
   * Takes over a session that has been greeted. What is started waits until it is ready.
   *
   * @param made what it was made of
   */
  static ofSession(
    session: InitSession,
    use: SandboxUse,
    permissions: PermissionSet,
    granted: GrantedPaths,
    made: Omit<PreparedSandbox, "start">,
  ): OpenSandbox {
    const { desktop = emptyDesktop, filters, tmpfs } = made;
    const limitScope = openLimitScope(scopeable(made, session), permissions.limits);
    return new OpenSandbox(session, use, { granted, desktop, filters, tmpfs, limitScope });
  }

  private constructor(session: InitSession, use: SandboxUse, made: MadeSandbox) {
    this.#session = session;
    this.#use = use;
    this.#made = made;
  }

  /** Settles when it is set up; rejects if it could not be. */
  get ready(): Promise<void> {
    return this.#session.ready;
  }

  /** Lets the program end although it has not, until something is started in it. */
  unref(): void {
    this.#session.unref();
  }

  /** Settles, without an error, when nothing of the sandbox is left. */
  get ended(): Promise<void> {
    return this.#session.ended;
  }

  /** Why it ended although nobody closed it; null while it runs, and if it was closed. */
  get loss(): Error | null {
    return this.#session.loss;
  }

  get isClosed(): boolean {
    return this.#session.isClosed || this.#session.loss !== null;
  }

  /** What was granted by its name, which may lead elsewhere by now. */
  get mountsByName(): readonly PlacedMount[] {
    return this.#made.granted.byName;
  }

  /** Kills everything in it. */
  close(): void {
    this.#session.close();
  }

  /**
   * Starts a process in it.
   *
   * @param permissions the process's own: only its limits count
   * @param child the descriptors that the command's mapping names; they stay the caller's, who may close them afterwards
   * @returns a promise of a process whose program has been executed
   */
  async start(
    command: CommandRequest,
    permissions: PermissionSet,
    child: readonly number[],
    cancellable: Cancellable | null,
  ): Promise<StartedProcess> {
    const limitScope = await this.#made.limitScope;
    throwIfCancelled(cancellable);
    if (this.isClosed) throw ioError("CLOSED", "The sandbox has been closed");
    const process = this.#session.newNumber();
    // mounts stay what they are: once is enough
    const { granted, desktop, filters } = this.#made;
    const mounts = this.#isVerified ? [] : [...granted.mounts, ...desktop.mounts];
    const tmpfs = this.#isVerified ? this.#made.tmpfs && [] : this.#made.tmpfs;
    const settled = { ...command, environment: desktopEnvironment(command.environment, desktop) };
    const { frame, sources } = planProcess({ process, command: settled, permissions, mounts, filters, tmpfs });
    const start = new ProcessStart((failure) => launchFailureError(failure, command, mounts));
    this.#session.listen(process, start);
    this.#onStart(start);
    this.#session.write(frame, sources.map((index) => listed(child, index)));
    const pid =
      this.#use === "single"
        ? await start.wait(() => this.close(), this.ended, cancellable)
        : await start.wait(() => this.#session.signal(process, SIGKILL, SignalScope.TREE), start.gone, cancellable);
    this.#isVerified = true;
    const exited = scopedEnd(start.exited, limitScope).then((end) => {
      if (end.exceeded === "memory") this.#tellOutOfMemory();
      return end;
    });
    return { scope: this.#scopeOf(process, pid), exited, limitScope, contents: { granted, desktop, scope: limitScope?.holds ?? null } };
  }

  #scopeOf(process: number, pid: number): ProcessScope {
    return this.#use === "single" ? new SingleUseScope(this.#session, pid) : new SharedScope(this.#session, process, pid);
  }

  /** Once for all that were killed together: nothing runs after that until something is started. */
  #tellOutOfMemory(): void {
    if (this.#isOutOfMemory) return;
    this.#isOutOfMemory = true;
    this.onOutOfMemory();
  }

  #onStart(start: ProcessStart): void {
    if (this.#running === 0) this.#isOutOfMemory = false;
    this.#running++;
    this.#session.ref();
    void start.gone.then(() => {
      this.#running--;
      if (this.#running === 0 && !this.#session.isClosed) this.#session.unref();
    });
  }
}

/** The scope of one process among others: itself and what descends from it while it lives. */
class SharedScope implements ProcessScope {
  readonly #session: InitSession;
  readonly #process: number;
  readonly #pid: number;

  constructor(session: InitSession, process: number, pid: number) {
    this.#session = session;
    this.#process = process;
    this.#pid = pid;
  }

  findPid(): string | null {
    return findHostPid(this.#session.findInits(), this.#pid);
  }

  signal(signal: number): void {
    this.#session.signal(this.#process, signal, SignalScope.PROCESS);
  }

  kill(): void {
    this.#session.signal(this.#process, SIGKILL, SignalScope.TREE);
  }

  release(): void {
    // the sandbox itself sees to that
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function whenReady(session: InitSession, cancellable: Cancellable | null): Promise<void> {
  let forget: () => void = () => undefined;
  const cancelled = new Promise<never>((_resolve, reject) => {
    forget = whenCancelled(cancellable, () => reject(cancelledError()));
  });
  try {
    await Promise.race([session.ready, cancelled]);
  } catch (error) {
    session.close();
    await session.ended;
    throw error;
  } finally {
    forget();
  }
}
