import type { Socket } from "node:net";
import type { PermissionSet } from "../permissions/permission-set.js";
import { launchFailureError } from "../plan/launch-failure.js";
import { SINGLE_PROCESS } from "../plan/launch-plan.js";
import type { StreamSettings, SubprocessFlags } from "../subprocess/flags.js";
import { Stream } from "../subprocess/flags.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { PreparedLaunch } from "./backend.js";
import { bubblewrapBackend } from "./bubblewrap-backend.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled } from "./cancellable.js";
import { DescriptorScope } from "./descriptor-scope.js";
import type { GrantedPaths } from "./granted-paths.js";
import { openGrantedPaths } from "./granted-paths.js";
import { InitSession } from "./init-session.js";
import { SingleUseScope } from "./process-scope.js";
import { ProcessStart } from "./process-start.js";
import type { Pipes } from "./running-process.js";
import { RunningProcess } from "./running-process.js";
import type { ChildStreams } from "./streams.js";
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
  granted: GrantedPaths,
  scope: DescriptorScope,
  cancellable: Cancellable | null,
): Promise<RunningProcess> {
  const backend = await bubblewrapBackend();
  const streams = await openStreams(flags, taken, scope);
  throwIfCancelled(cancellable);

  const order: CommandRequest = { ...command, descriptors: streams.mapping };
  const launch = await backend.prepare(permissions, granted, order, streams.sources);
  const session = startSession(launch, cancellable);
  const start = new ProcessStart((failure) => launchFailureError(failure, order, granted.mounts));
  session.listen(SINGLE_PROCESS, start);
  session.write(launch.frames);
  const pid = await start.wait(() => session.close(), session.ended, cancellable);

  return new RunningProcess(new SingleUseScope(session, pid), start, command.timeout, pipesOf(streams, scope));
}

function startSession(launch: PreparedLaunch, cancellable: Cancellable | null): InitSession {
  try {
    throwIfCancelled(cancellable);
    return new InitSession(launch.start);
  } catch (error) {
    launch.discard?.();
    throw error;
  }
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
