import { planBubblewrap } from "../plan/bubblewrap.js";
import type { LaunchFailure, ProcessExit } from "../init/decode.js";
import { launchFailureError } from "../plan/launch-failure.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { StreamSettings, SubprocessFlags } from "../subprocess/flags.js";
import { Stream } from "../subprocess/flags.js";
import { cancelledError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { usableBubblewrap } from "./bubblewrap.js";
import { BubblewrapSandbox } from "./bubblewrap-sandbox.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled, whenCancelled } from "./cancellable.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openGrantedPaths } from "./granted-paths.js";
import { hostFacts } from "./host.js";
import { RunningProcess } from "./running-process.js";
import { duplicateTaken, openStreams, readingEnd, writingEnd } from "./streams.js";

/** Everything that a launcher was told, at the moment of the launch. */
export interface ProcessRequest {
  readonly command: Omit<CommandRequest, "descriptors">;
  readonly flags: SubprocessFlags;
  readonly settings: StreamSettings;
  readonly table: readonly { readonly source: number; readonly target: number }[];
  readonly permissions: PermissionSet;
}

/**
 * Launches a process in a sandbox of its own. The caller's descriptors are duplicated before this function returns.
 *
 * @returns a promise of a process whose program has been executed
 */
export function launchProcess(request: ProcessRequest, cancellable: Cancellable | null): Promise<RunningProcess> {
  const scope = new DescriptorScope();
  const launch = new Promise<RunningProcess>((resolve, reject) => {
    throwIfCancelled(cancellable);
    const taken = duplicateTaken(request.flags, request.settings, request.table, scope);
    const granted = openGrantedPaths(request.permissions, scope);
    launchWith(request, taken, granted, scope, cancellable).then(resolve, reject);
  });
  return launch.finally(() => scope[Symbol.dispose]());
}

async function launchWith(
  { command, flags, permissions }: ProcessRequest,
  taken: ReturnType<typeof duplicateTaken>,
  granted: ReturnType<typeof openGrantedPaths>,
  scope: DescriptorScope,
  cancellable: Cancellable | null,
): Promise<RunningProcess> {
  const bubblewrap = await usableBubblewrap();
  const streams = await openStreams(flags, taken, scope);
  throwIfCancelled(cancellable);

  const order: CommandRequest = { ...command, descriptors: streams.mapping };
  const host = hostFacts();
  const plan = planBubblewrap({ host, bubblewrap, permissions, mounts: granted.mounts, pid1: "init" }, order);
  const start = new Start((failure) => launchFailureError(failure, order, granted.mounts));
  const sandbox = new BubblewrapSandbox(plan, { granted: granted.descriptors, child: streams.sources }, start);
  const pid = await start.wait(sandbox, cancellable);

  const pipe = (stream: Stream): number | null => {
    const descriptor = streams.pipes.get(stream);
    return descriptor === undefined ? null : scope.release(descriptor);
  };
  const [stdin, stdout, stderr] = [pipe(Stream.STDIN), pipe(Stream.STDOUT), pipe(Stream.STDERR)];
  return new RunningProcess(sandbox, start, pid, command.timeout, {
    stdin: stdin === null ? null : writingEnd(stdin),
    stdout: stdout === null ? null : readingEnd(stdout),
    stderr: stderr === null ? null : readingEnd(stderr),
  });
}

/** Hears of the process from its sandbox, before anybody else can, and for as long as it lives. */
export class Start {
  /** Settles when the process has ended; rejects if the sandbox was lost. */
  readonly exited: Promise<ProcessExit>;
  readonly #started: Promise<number>;
  readonly #errorOf: (failure: LaunchFailure) => Error;
  #resolveStarted!: (pid: number) => void;
  #rejectStarted!: (error: unknown) => void;
  #resolveExited!: (exit: ProcessExit) => void;
  #rejectExited!: (error: unknown) => void;

  constructor(errorOf: (failure: LaunchFailure) => Error) {
    this.#errorOf = errorOf;
    this.#started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    this.exited = new Promise((resolve, reject) => {
      this.#resolveExited = resolve;
      this.#rejectExited = reject;
    });
    // either may come to nothing without anybody waiting for it
    this.#started.catch(() => undefined);
    this.exited.catch(() => undefined);
  }

  onStarted(pid: number): void {
    this.#resolveStarted(pid);
  }

  onFailed(failure: LaunchFailure): void {
    this.#rejectStarted(this.#errorOf(failure));
  }

  onExited(exit: ProcessExit): void {
    this.#resolveExited(exit);
  }

  onLost(error: Error): void {
    this.#rejectStarted(error);
    this.#rejectExited(error);
  }

  /**
   * Waits until the program is running. A launch that fails or is cancelled leaves nothing behind.
   *
   * @returns its pid as the sandbox sees it
   */
  async wait(sandbox: BubblewrapSandbox, cancellable: Cancellable | null): Promise<number> {
    const forget = whenCancelled(cancellable, () => this.#rejectStarted(cancelledError()));
    try {
      return await this.#started;
    } catch (error) {
      sandbox.close();
      await sandbox.ended;
      throw error;
    } finally {
      forget();
    }
  }
}
