import type { PermissionSet } from "../permissions/permission-set.js";
import { planOpenUnsandboxed, planUnsandboxed } from "../plan/unsandboxed.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch, PreparedSandbox } from "./backend.js";
import { overSocketPair } from "./control-socket.js";
import type { GrantedPaths } from "./granted-paths.js";
import { listed } from "./listed.js";
import { UnsandboxedCarrier } from "./unsandboxed-carrier.js";

/** The backend NONE: no sandbox, for who asked for that by name. */
export function unsandboxedBackend(): Backend {
  return {
    prepare(
      permissions: PermissionSet,
      { mounts }: GrantedPaths,
      command: CommandRequest,
      child: readonly number[],
    ): Promise<PreparedLaunch> {
      const { frames, sources } = planUnsandboxed(permissions, mounts, command);
      return Promise.resolve({ start, frames: () => frames, descriptors: sources.map((index) => listed(child, index)) });
    },
    prepareOpen(permissions: PermissionSet, _granted: GrantedPaths, helloFlags: number): Promise<PreparedSandbox> {
      const { frames } = planOpenUnsandboxed(permissions, helloFlags);
      return Promise.resolve({ start, frames: () => frames, descriptors: [], filters: [] });
    },
  };
}

const start = overSocketPair((control) => new UnsandboxedCarrier(control));
