import { readlinkSync } from "node:fs";
import { asksForDesktop, asksForFiles } from "../permissions/asked.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { BubblewrapRequest } from "../plan/bubblewrap.js";
import { planBubblewrap, planOpenBubblewrap, planTemplate } from "../plan/bubblewrap.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import { emptyDesktop } from "../plan/desktop-plan.js";
import type { BubblewrapPlan } from "../plan/launch-plan.js";
import { ownDirectories } from "../plan/root-filesystem.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch, PreparedSandbox, PreparedTemplate } from "./backend.js";
import { usableBubblewrap } from "./bubblewrap.js";
import { BubblewrapCarrier } from "./bubblewrap-carrier.js";
import { overHelper } from "./control-socket.js";
import type { OpenedDesktop } from "./desktop.js";
import { openDesktop } from "./desktop.js";
import { mayFurnish, ruleOutFurnishing } from "./furnishing.js";
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
    granted: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch> {
    const planned = await this.#plan(permissions, granted, (request) => planBubblewrap(request, command));
    return launchOf(planned, granted, child);
  }

  async prepareOpen(permissions: PermissionSet, granted: GrantedPaths, helloFlags: number): Promise<PreparedSandbox> {
    const planned = await this.#plan(permissions, granted, (request) => planOpenBubblewrap(request, helloFlags));
    const { plan, request } = planned;
    const tmpfs = ownDirectories(request.host.uid, request.mounts);
    return { ...launchOf(planned, granted, []), filters: plan.filters, tmpfs };
  }

  async prepareTemplate(permissions: PermissionSet, granted: GrantedPaths): Promise<PreparedTemplate | null> {
    // a template's init does what furnishing takes, too
    if (!mayFurnish()) return null;
    const { plan, request, opened } = await this.#plan(permissions, granted, planTemplate);
    if (plan === null) {
      opened.discard();
      return null;
    }
    const tmpfs = ownDirectories(request.host.uid, request.mounts);
    return { ...launchOf({ plan, opened }, granted, []), filters: plan.filters, tmpfs, make: plan.make };
  }

  async #plan<Plan>(
    permissions: PermissionSet,
    paths: GrantedPaths,
    planOf: (request: BubblewrapRequest) => Plan,
  ): Promise<{ readonly plan: Plan; readonly request: BubblewrapRequest; readonly opened: OpenedDesktop }> {
    const isAlone = !asksForDesktop(permissions) && !asksForFiles(permissions);
    const opened = isAlone ? nothingOpened : await openDesktop(permissions, paths, this.#bubblewrap);
    try {
      const mounts = [...paths.mounts, ...opened.paths.mounts];
      const facts = { host: hostFacts(), bubblewrap: this.#bubblewrap };
      const request: BubblewrapRequest = {
        ...{ ...facts, permissions, mounts, desktop: opened.plan, pid1: "init" },
        isFurnished: mayFurnish(),
        places: mounts.length > MANY ? places([...paths.descriptors, ...opened.paths.descriptors]) : undefined,
      };
      return { plan: planOf(request), request, opened };
    } catch (error) {
      opened.discard();
      throw error;
    }
  }
}

/** Of a sandbox with nothing of the desktop, and nothing of the host's files that its home would lead to. */
const nothingOpened: OpenedDesktop = {
  plan: emptyDesktop,
  paths: { mounts: [], descriptors: [] },
  proxy: null,
  closeDescriptors: () => undefined,
  discard: () => undefined,
};

/** More granted paths than bwrap mounts each by itself, where it need not. */
const MANY = 16;

function places(descriptors: readonly number[]): string[] {
  return descriptors.map((descriptor) => readlinkSync(`/proc/self/fd/${descriptor}`));
}

function launchOf(
  { plan, opened }: { readonly plan: BubblewrapPlan; readonly opened: OpenedDesktop },
  paths: GrantedPaths,
  child: readonly number[],
): PreparedLaunch {
  const granted = [...paths.descriptors, ...opened.paths.descriptors];
  return {
    start: overHelper((control) => new DesktopCarrier(new BubblewrapCarrier(plan, { granted, child }, control), opened)),
    frames: plan.frames,
    descriptors: [],
    isInitOnlyChild: true,
    desktop: opened.plan,
    discard: () => opened.discard(),
    retry: () => {
      const isOther = mayFurnish();
      ruleOutFurnishing();
      return isOther;
    },
  };
}
