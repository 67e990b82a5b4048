import type { PermissionSet } from "../permissions/permission-set.js";
import type { BubblewrapRequest } from "../plan/bubblewrap.js";
import { planBubblewrap, planOpenBubblewrap } from "../plan/bubblewrap.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch } from "./backend.js";
import { usableBubblewrap } from "./bubblewrap.js";
import { BubblewrapCarrier } from "./bubblewrap-carrier.js";
import type { GrantedPaths } from "./granted-paths.js";
import { hostFacts } from "./host.js";

/** @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if bubblewrap cannot be used here */
export async function bubblewrapBackend(): Promise<Backend> {
  return new BubblewrapBackend(await usableBubblewrap());
}

class BubblewrapBackend implements Backend {
  readonly #bubblewrap: BubblewrapFacts;

  constructor(bubblewrap: BubblewrapFacts) {
    this.#bubblewrap = bubblewrap;
  }

  prepare(
    permissions: PermissionSet,
    { mounts, descriptors: granted }: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch> {
    const plan = planBubblewrap(this.#request(permissions, mounts), command);
    return Promise.resolve({
      start: (control) => new BubblewrapCarrier(plan, { granted, child }, control),
      frames: plan.frames,
    });
  }

  prepareOpen(
    permissions: PermissionSet,
    { mounts, descriptors: granted }: GrantedPaths,
    helloFlags: number,
  ): Promise<PreparedLaunch> {
    const plan = planOpenBubblewrap(this.#request(permissions, mounts), helloFlags);
    return Promise.resolve({
      start: (control) => new BubblewrapCarrier(plan, { granted, child: [] }, control),
      frames: plan.frames,
    });
  }

  #request(permissions: PermissionSet, mounts: GrantedPaths["mounts"]): BubblewrapRequest {
    return { host: hostFacts(), bubblewrap: this.#bubblewrap, permissions, mounts, pid1: "init" };
  }
}
