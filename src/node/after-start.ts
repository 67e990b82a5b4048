/*
 * What a launch does once its sandbox is on its way. None of it is needed before that, and the gio-sandbox command reads it then,
 * while bwrap does its part: see tools/split-command.js.
 */
import type { Limit, PermissionSet } from "../permissions/permission-set.js";
import { emptyDesktop } from "../plan/desktop-plan.js";
import { launchFailureError } from "../plan/launch-failure.js";
import { SINGLE_PROCESS } from "../plan/launch-plan.js";
import { isScopeUseful } from "../plan/scope-request.js";
import { Stream } from "../subprocess/flags.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { PreparedLaunch } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import type { DescriptorScope } from "./descriptor-scope.js";
import type { GrantedPaths } from "./granted-paths.js";
import type { InitSession } from "./init-session.js";
import { greet } from "./init-session.js";
import { openLimitScope, scopeable } from "./limit-scope.js";
import type { StartedProcess } from "./open-sandbox.js";
import type { PipeEnd } from "./pipe-ends.js";
import { readingEnd, writingEnd } from "./pipe-ends.js";
import { SingleUseScope } from "./process-scope.js";
import { ProcessStart } from "./process-start.js";
import type { Pipes } from "./running-process.js";
import { RunningProcess } from "./running-process.js";
import { scopedEnd } from "./scoped-end.js";
import type { ChildStreams } from "./streams.js";

/** What the only process of a sandbox was launched with. */
export interface OnlyProcess {
  readonly command: CommandRequest;
  readonly permissions: PermissionSet;
  readonly granted: GrantedPaths;
  /** Whether init has been told what it is to be told first. */
  readonly isGreeted: boolean;
}

/**
 * Has the only process of a sandbox started, and waits for that. If it fails or is cancelled, nothing is left of the sandbox.
 *
 * @returns a promise of a process whose program has been executed
 * @throws GLibError as of a launch
 */
export async function startOnly(
  session: InitSession,
  launch: PreparedLaunch,
  { command, permissions: { limits }, granted, isGreeted }: OnlyProcess,
  cancellable: Cancellable | null,
): Promise<StartedProcess> {
  const mounts = [...granted.mounts, ...(launch.desktop?.mounts ?? [])];
  const start = new ProcessStart((failure) => launchFailureError(failure, command, mounts));
  session.listen(SINGLE_PROCESS, start);
  const limitScope = isScopeUseful(limits) ? await openLimitScope(scopeable(launch, session), limits) : null;
  if (!isGreeted) await greet(session, launch);
  const pid = await start.wait(() => session.close(), session.ended, cancellable);
  const contents = { granted, desktop: launch.desktop ?? emptyDesktop, scope: limitScope?.holds ?? null };
  return { scope: new SingleUseScope(session, pid), exited: scopedEnd(start.exited, limitScope), limitScope, contents };
}

/** @param streams of which the parent's ends of the pipes are taken over from the scope */
export function runningProcess(
  started: StartedProcess,
  limits: ReadonlyMap<Limit, number>,
  streams: ChildStreams,
  scope: DescriptorScope,
): RunningProcess {
  return new RunningProcess(started.scope, started, limits, pipesOf(streams, scope));
}

function pipesOf({ pipes }: ChildStreams, scope: DescriptorScope): Pipes {
  const take = (stream: Stream, end: (descriptor: number) => PipeEnd): PipeEnd | null => {
    const descriptor = pipes.get(stream);
    return descriptor === undefined ? null : end(scope.release(descriptor));
  };
  return {
    stdin: take(Stream.STDIN, writingEnd),
    stdout: take(Stream.STDOUT, readingEnd),
    stderr: take(Stream.STDERR, readingEnd),
  };
}
