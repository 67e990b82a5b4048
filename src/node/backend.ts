import type { MakeOrder } from "../init/encode.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { DesktopPlan } from "../plan/desktop-plan.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { StartCarrier } from "./carrier.js";
import type { GrantedPaths } from "./granted-paths.js";

/** One way to sandbox a command, which has been found to work here. */
export interface Backend {
  /**
   * Plans the launch of one command in a sandbox of its own, and makes what it needs; nothing of the child runs yet.
   *
   * @param child the descriptors that the command's mapping names; they stay the caller's until the launch has started
   * @throws GLibError if it cannot be done so
   */
  prepare(
    permissions: PermissionSet,
    granted: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch>;
  /**
   * Plans a sandbox that commands are put into later.
   *
   * @param helloFlags bits of `HelloFlag`
   * @throws GLibError if it cannot be done so
   */
  prepareOpen(permissions: PermissionSet, granted: GrantedPaths, helloFlags: number): Promise<PreparedSandbox>;
  /**
   * Plans a template, after whose example sandboxes for one process each are made. Absent: there is no such thing.
   *
   * @returns null for sandboxes that cannot be made so
   * @throws GLibError if it cannot be done
   */
  prepareTemplate?(permissions: PermissionSet, granted: GrantedPaths): Promise<PreparedTemplate | null>;
}

/** Finds the backend for a launch, when it comes to that. */
export type FindBackend = () => Promise<Backend>;

/** A launch that has only to be started, while the descriptors that it was prepared with are open. */
export interface PreparedLaunch {
  readonly start: StartCarrier;
  /**
   * Makes what is written to init's control socket first: HELLO and, for one command, the launch of `SINGLE_PROCESS`.
   *
   * @throws GLibError for more than init takes
   */
  readonly frames: () => Uint8Array;
  /** The child's descriptors that go with the frames, as received ones; they stay the caller's. */
  readonly descriptors: readonly number[];
  /** What of the desktop is in the sandbox: what runs there needs its variables. Absent: nothing. */
  readonly desktop?: DesktopPlan;
  /**
   * Told that the sandbox could not be set up, by a bwrap or an init that said so.
   *
   * @returns whether to prepare it once more: it will be done in another way then. Absent: there is none
   */
  retry?(): boolean;
  /** Undoes what was made, if it is not to be started after all. */
  discard?(): void;
  /** The only child of the carrier's process is init, so that a cgroup can be put around the sandbox. Absent: no. */
  readonly isInitOnlyChild?: true;
}

/** A sandbox that has only to be started, and what each process gets that is put into it. */
export interface PreparedSandbox extends PreparedLaunch {
  /** Programs of system call filters, which init puts upon each of them. */
  readonly filters: readonly Uint8Array[];
  /** As of `ProcessLaunch`. */
  readonly tmpfs?: readonly string[];
}

/** A template that has only to be started, and what each sandbox gets that is made after its example. */
export interface PreparedTemplate extends PreparedSandbox {
  readonly make: Omit<MakeOrder, "process">;
}
