import type { PermissionSet } from "../permissions/permission-set.js";
import { planBubblewrap } from "../plan/bubblewrap.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch } from "./backend.js";
import { usableBubblewrap } from "./bubblewrap.js";
import { BubblewrapCarrier } from "./bubblewrap-carrier.js";
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

  async prepare(
    permissions: PermissionSet,
    paths: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch> {
    const desktop = await openDesktop(permissions, paths, this.#bubblewrap);
    const discard = (): void => {
      desktop.closeDescriptors();
      desktop.proxy?.close();
    };
    try {
      const mounts = [...paths.mounts, ...desktop.paths.mounts];
      const granted = [...paths.descriptors, ...desktop.paths.descriptors];
      const what = { permissions, mounts, desktop: desktop.plan, pid1: "init" } as const;
      const plan = planBubblewrap({ host: hostFacts(), bubblewrap: this.#bubblewrap, ...what }, command);
      return {
        start: (control) => new DesktopCarrier(new BubblewrapCarrier(plan, { granted, child }, control), desktop),
        frames: plan.frames,
        discard,
      };
    } catch (error) {
      discard();
      throw error;
    }
  }
}
