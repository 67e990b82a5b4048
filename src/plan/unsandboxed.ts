import { encodeHello, encodeLaunch } from "../init/encode.js";
import { HelloFlag, Origin } from "../init/protocol.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { checkTargets } from "./child-limits.js";
import type { ResolvedMount } from "./host-facts.js";
import { joined, SINGLE_PROCESS } from "./launch-plan.js";
import { launchOrder, sourcesOf } from "./process-launch.js";

/** A launch without a sandbox: gio-sandbox-init starts the command among our own processes. */
export interface UnsandboxedPlan {
  /** What is written to the control socket first. */
  readonly frames: Uint8Array;
  /** The shell's descriptors that go with the frames, in this order: indices into its list of the child's. */
  readonly sources: readonly number[];
}

/**
 * The plan for one command. Init does for it what needs no sandbox: limits, descriptors, exact statuses, and the end of
 * all that it has started. Nothing is kept from it; but what was granted under a name has to be there.
 *
 * @throws GLibError `g-exec-error-quark` for arguments and descriptors that no child could have;
 *   `gio-sandbox-error-quark` NOT_ENFORCEABLE for limits that only a sandbox can set
 */
export function planUnsandboxed(
  permissions: PermissionSet,
  mounts: readonly ResolvedMount[],
  command: CommandRequest,
): UnsandboxedPlan {
  checkTargets(command.descriptors, permissions);
  checkLimits(permissions);
  const sources = sourcesOf(command);
  const launch = { process: SINGLE_PROCESS, command, permissions, mounts, filters: [] };
  const order = launchOrder(launch, Origin.RECEIVED, (source) => sources.indexOf(source));
  return { frames: joined(hello(HelloFlag.SINGLE_USE), encodeLaunch(order)), sources };
}

/**
 * The plan for an init that commands are given to later.
 *
 * @param helloFlags bits of `HelloFlag`
 * @throws GLibError as `planUnsandboxed()`
 */
export function planOpenUnsandboxed(permissions: PermissionSet, helloFlags: number): UnsandboxedPlan {
  checkLimits(permissions);
  return { frames: hello(helloFlags), sources: [] };
}

function hello(flags: number): Uint8Array {
  return encodeHello(flags | HelloFlag.NOT_PID_1);
}

function checkLimits({ limits }: PermissionSet): void {
  if (limits.has("tmpfs")) {
    throw sandboxError("NOT_ENFORCEABLE", "Without a sandbox there are no private directories: the limit “tmpfs” cannot be set");
  }
}
