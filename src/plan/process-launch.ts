import type { LaunchOrder } from "../init/encode.js";
import { encodeLaunch } from "../init/encode.js";
import { Origin } from "../init/protocol.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { childLimits, checkTargets, sandboxWatch } from "./child-limits.js";
import type { ResolvedMount } from "./host-facts.js";

/** What init puts upon each process that it starts. */
export interface ChildFilters {
  /** Programs of system call filters, in the order of their installation. */
  readonly filters: readonly Uint8Array[];
}

/** How one process is started by an init, whatever carries its sandbox. */
export interface ProcessLaunch extends ChildFilters {
  readonly process: number;
  readonly command: CommandRequest;
  /** Those of the process: its limits count, and what init does for it. */
  readonly permissions: PermissionSet;
  /** What init compares with the mounts that it finds, before anything starts. */
  readonly mounts: readonly ResolvedMount[];
  /**
   * The file systems in memory that are the sandbox's own, for the first process in it; so is its IPC namespace then, unless
   * the permissions share the host's. Absent: it is not known what is the sandbox's own.
   */
  readonly tmpfs?: readonly string[] | undefined;
}

/** The launch of a process in a sandbox that is open already. */
export interface PlannedProcess {
  /** The LAUNCH frame. */
  readonly frame: Uint8Array;
  /** The shell's descriptors that go with it, in this order: indices into its list of the child's. */
  readonly sources: readonly number[];
}

/**
 * @throws GLibError `g-exec-error-quark` for arguments and descriptors that no child could have;
 *   `gio-sandbox-error-quark` LIMIT_EXCEEDED for more than init takes
 */
export function planProcess(launch: ProcessLaunch): PlannedProcess {
  const sources = sourcesOf(launch.command);
  return { frame: encodeLaunch(launchOrder(launch, Origin.RECEIVED, (source) => sources.indexOf(source))), sources };
}

/** The descriptors of a command that have to be given to init, each once. */
export function sourcesOf({ descriptors }: CommandRequest): readonly number[] {
  return [...new Set(descriptors.map(({ source }) => source))];
}

/** @param place where init finds the descriptor that a mapping names */
export function launchOrder(
  { process, command, permissions, mounts, filters, tmpfs }: ProcessLaunch,
  origin: Origin,
  place: (source: number) => number,
): LaunchOrder {
  checkTargets(command.descriptors, permissions);
  const watch = sandboxWatch(permissions, tmpfs !== undefined);
  return {
    process,
    argv: command.argv,
    environment: command.environment,
    directory: command.directory,
    searchPath: command.searchPath,
    descriptors: command.descriptors.map(({ target, source }) => ({ target, origin, source: place(source) })),
    limits: childLimits(permissions),
    filters,
    identities: mounts,
    timeoutMilliseconds: command.timeout,
    ...(watch === undefined ? {} : { watch }),
    tmpfs: tmpfs ?? [],
  };
}
