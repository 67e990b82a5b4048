import type { Socket } from "node:net";
import type { PermissionSet } from "../permissions/permission-set.js";
import { launchFailureError } from "../plan/launch-failure.js";
import { SINGLE_PROCESS } from "../plan/launch-plan.js";
import type { StreamSettings, SubprocessFlags } from "../subprocess/flags.js";
import { Stream } from "../subprocess/flags.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { bubblewrapBackend } from "./bubblewrap-backend.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled } from "./cancellable.js";
import { DescriptorScope } from "./descriptor-scope.js";
import type { GrantedPaths } from "./granted-paths.js";
import { openGrantedPaths } from "./granted-paths.js";
import type { OpenSandbox, StartedProcess } from "./open-sandbox.js";
import { SingleUseScope } from "./process-scope.js";
import { ProcessStart } from "./process-start.js";
import type { Pipes } from "./running-process.js";
import { RunningProcess } from "./running-process.js";
import { startSession } from "./start-session.js";
import type { ChildStreams, TakenDescriptors } from "./streams.js";
import { duplicateTaken, openStreams, readingEnd, writingEnd } from "./streams.js";

/** Everything that a launcher was told, at the moment of the launch. */
export interface ProcessRequest {
  readonly command: Omit<CommandRequest, "descriptors">;
  readonly flags: SubprocessFlags;
  readonly settings: StreamSettings;
  readonly table: readonly { readonly source: number; readonly target: number }[];
  readonly permissions: PermissionSet;
  /** The sandbox to put it into; null: one of its own. */
  readonly sandbox: OpenSandbox | null;
}

/**
 * Launches a process. The caller's descriptors are duplicated before this function returns.
 *
 * @returns a promise of a process whose program has been executed
 */
export function launchProcess(request: ProcessRequest, cancellable: Cancellable | null): Promise<RunningProcess> {
  const scope = new DescriptorScope();
  const launch = new Promise<RunningProcess>((resolve, reject) => {
    throwIfCancelled(cancellable);
    const { flags, settings, table, permissions, sandbox } = request;
    const taken = duplicateTaken(flags, settings, table, scope);
    const start =
      sandbox === null ? newSandbox(permissions, openGrantedPaths(permissions, scope)) : Promise.resolve(putInto(sandbox));
    launchWith(request, taken, start, scope, cancellable).then(resolve, reject);
  });
  return launch.finally(() => scope[Symbol.dispose]());
}

/** Starts one command, whose descriptors stay the caller's. */
type StartCommand = (
  command: CommandRequest,
  permissions: PermissionSet,
  child: readonly number[],
  cancellable: Cancellable | null,
) => Promise<StartedProcess>;

async function launchWith(
  { command, flags, permissions }: ProcessRequest,
  taken: TakenDescriptors,
  startCommand: Promise<StartCommand>,
  scope: DescriptorScope,
  cancellable: Cancellable | null,
): Promise<RunningProcess> {
  const start = await startCommand;
  const streams = await openStreams(flags, taken, scope);
  throwIfCancelled(cancellable);
  const order: CommandRequest = { ...command, descriptors: streams.mapping };
  const started = await start(order, permissions, streams.sources, cancellable);
  return new RunningProcess(started.scope, started.start, command.timeout, pipesOf(streams, scope));
}

function putInto(sandbox: OpenSandbox): StartCommand {
  return (command, permissions, child, cancellable) => sandbox.start(command, permissions, child, cancellable);
}

async function newSandbox(permissions: PermissionSet, granted: GrantedPaths): Promise<StartCommand> {
  const backend = await bubblewrapBackend();
  return async (command, _permissions, child, cancellable) => {
    const launch = await backend.prepare(permissions, granted, command, child);
    const session = startSession(launch, cancellable);
    const mounts = [...granted.mounts, ...(launch.desktop?.mounts ?? [])];
    const start = new ProcessStart((failure) => launchFailureError(failure, command, mounts));
    session.listen(SINGLE_PROCESS, start);
    session.write(launch.frames);
    const pid = await start.wait(() => session.close(), session.ended, cancellable);
    return { scope: new SingleUseScope(session, pid), start };
  };
}

/** Takes the parent's ends of the pipes over from the scope. */
function pipesOf({ pipes }: ChildStreams, scope: DescriptorScope): Pipes {
  const take = (stream: Stream, end: (descriptor: number) => Socket): Socket | null => {
    const descriptor = pipes.get(stream);
    return descriptor === undefined ? null : end(scope.release(descriptor));
  };
  return {
    stdin: take(Stream.STDIN, writingEnd),
    stdout: take(Stream.STDOUT, readingEnd),
    stderr: take(Stream.STDERR, readingEnd),
  };
}
