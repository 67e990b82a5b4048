import type { PermissionSet } from "../permissions/permission-set.js";
import type { BubblewrapRequest } from "../plan/bubblewrap.js";
import { planBubblewrap, planOpenBubblewrap } from "../plan/bubblewrap.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import type { BubblewrapPlan } from "../plan/launch-plan.js";
import { ownDirectories } from "../plan/root-filesystem.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch, PreparedSandbox } from "./backend.js";
import { usableBubblewrap } from "./bubblewrap.js";
import { BubblewrapCarrier } from "./bubblewrap-carrier.js";
import { overSocketPair } from "./control-socket.js";
import { openDesktop } from "./desktop.js";
import { DesktopCarrier } from "./desktop-carrier.js";
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
    granted: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch> {
    return this.#prepare(permissions, granted, child, (request) => planBubblewrap(request, command));
  }

  async prepareOpen(permissions: PermissionSet, granted: GrantedPaths, helloFlags: number): Promise<PreparedSandbox> {
    let filters: readonly Uint8Array[] = [];
    let tmpfs: readonly string[] = [];
    const launch = await this.#prepare(permissions, granted, [], (request) => {
      const plan = planOpenBubblewrap(request, helloFlags);
      ({ filters } = plan);
      tmpfs = ownDirectories(request.host.uid, permissions, request.mounts);
      return plan;
    });
    return { ...launch, filters, tmpfs };
  }

  async #prepare(
    permissions: PermissionSet,
    paths: GrantedPaths,
    child: readonly number[],
    planOf: (request: BubblewrapRequest) => BubblewrapPlan,
  ): Promise<PreparedLaunch> {
    const opened = await openDesktop(permissions, paths, this.#bubblewrap);
    try {
      const desktop = opened.plan;
      const mounts = [...paths.mounts, ...opened.paths.mounts];
      const granted = [...paths.descriptors, ...opened.paths.descriptors];
      const facts = { host: hostFacts(), bubblewrap: this.#bubblewrap };
      const plan = planOf({ ...facts, permissions, mounts, desktop, pid1: "init" });
      return {
        start: overSocketPair((control) => new DesktopCarrier(new BubblewrapCarrier(plan, { granted, child }, control), opened)),
        frames: plan.frames,
        descriptors: [],
        isInitOnlyChild: true,
        desktop,
        discard: () => opened.discard(),
      };
    } catch (error) {
      opened.discard();
      throw error;
    }
  }
}
