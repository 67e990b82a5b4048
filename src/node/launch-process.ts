import { asksForFiles } from "../permissions/asked.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import { limitsWithTimeout } from "../plan/child-limits.js";
import { isScopeUseful } from "../plan/scope-request.js";
import type { StreamSettings, SubprocessFlags } from "../subprocess/flags.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { runningProcess, startOnly } from "./after-start.js";
import type { FindBackend } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled } from "./cancellable.js";
import { DescriptorScope } from "./descriptor-scope.js";
import type { SandboxContents } from "./explain.js";
import type { GrantedPaths } from "./granted-paths.js";
import { openGrantedPaths } from "./granted-paths.js";
import { sessionOf } from "./init-session.js";
import type { OpenSandbox, StartedProcess } from "./open-sandbox.js";
import type { RunningProcess } from "./running-process.js";
import { greetAtOnce, startCarrier } from "./start-carrier.js";
import type { TakenDescriptors } from "./streams.js";
import { duplicateTaken, openStreams } from "./streams.js";

/** Everything that a launcher was told, at the moment of the launch. */
export interface ProcessRequest {
  readonly command: Omit<CommandRequest, "descriptors">;
  readonly flags: SubprocessFlags;
  readonly settings: StreamSettings;
  readonly table: readonly { readonly source: number; readonly target: number }[];
  readonly permissions: PermissionSet;
  /** What is to carry a sandbox of its own. */
  readonly backend: FindBackend;
  /** The sandbox to put it into; null: one of its own. */
  readonly sandbox: OpenSandbox | null;
}

/** A process that runs, and what it was granted. */
export interface LaunchedProcess {
  readonly running: RunningProcess;
  readonly contents: SandboxContents;
}

/**
 * Launches a process. The caller's descriptors are duplicated before this function returns.
 *
 * @returns a promise of a process whose program has been executed
 */
export function launchProcess(request: ProcessRequest, cancellable: Cancellable | null): Promise<LaunchedProcess> {
  const scope = new DescriptorScope();
  const launch = new Promise<LaunchedProcess>((resolve, reject) => {
    throwIfCancelled(cancellable);
    const { flags, settings, table, permissions, backend, sandbox } = request;
    const taken = duplicateTaken(flags, settings, table, scope);
    const start = sandbox === null ? newSandbox(backend, permissions, grantedPaths(permissions, scope)) : Promise.resolve(putInto(sandbox));
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
): Promise<LaunchedProcess> {
  const start = await startCommand;
  const streams = await openStreams(flags, taken, scope);
  throwIfCancelled(cancellable);
  const limits = limitsWithTimeout(permissions.limits, command.timeout);
  const order: CommandRequest = { ...command, timeout: limits.get("timeout") ?? null, descriptors: streams.mapping };
  const started = await start(order, permissions, streams.sources, cancellable);
  return { running: runningProcess(started, limits, streams, scope), contents: started.contents };
}

function putInto(sandbox: OpenSandbox): StartCommand {
  return (command, permissions, child, cancellable) => sandbox.start(command, permissions, child, cancellable);
}

function grantedPaths(permissions: PermissionSet, scope: DescriptorScope): GrantedPaths {
  return asksForFiles(permissions) ? openGrantedPaths(permissions, scope) : { mounts: [], descriptors: [], byName: [], hidden: [] };
}

async function newSandbox(
  findBackend: FindBackend,
  permissions: PermissionSet,
  granted: GrantedPaths,
): Promise<StartCommand> {
  const backend = await findBackend();
  const startCommand: StartCommand = async (command, _permissions, child, cancellable) => {
    const launch = await backend.prepare(permissions, granted, command, child);
    const started = startCarrier(launch, cancellable);
    // a scope is put around init before anything of the child runs
    const isGreeted = !isScopeUseful(permissions.limits) && greetAtOnce(started, launch);
    const session = sessionOf(started);
    try {
      return await startOnly(session, launch, { command, permissions, granted, isGreeted }, cancellable);
    } catch (error) {
      if (session.couldNotBeSetUp && launch.retry?.() === true) return await startCommand(command, permissions, child, cancellable);
      throw error;
    }
  };
  return startCommand;
}
