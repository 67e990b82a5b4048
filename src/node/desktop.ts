import type { PermissionSet } from "../permissions/permission-set.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import type { DesktopPlan } from "../plan/desktop-plan.js";
import { desktopWishes, planDesktop, withBusSockets } from "../plan/desktop.js";
import type { BusProxy } from "./bus-proxy.js";
import { newIdentity, startBusProxy } from "./bus-proxy.js";
import { DescriptorScope, requiredSystemCalls } from "./descriptor-scope.js";
import { desktopFacts } from "./desktop-facts.js";
import type { GrantedPaths } from "./granted-paths.js";
import { OpenedPaths, placed } from "./granted-paths.js";
import { hostFacts } from "./host.js";

/** What of the desktop goes into one sandbox, found and held. */
export interface OpenedDesktop {
  readonly plan: DesktopPlan;
  /** The plan's mounts and their descriptors, in the same order. They are open until `closeDescriptors()`. */
  readonly paths: Pick<GrantedPaths, "mounts" | "descriptors">;
  /** Runs for as long as the sandbox; null if it needs none. */
  readonly proxy: BusProxy | null;
  /** When the sandbox has been started. */
  readonly closeDescriptors: () => void;
  /** When it is not to be. */
  readonly discard: () => void;
}

/**
 * Looks up what the permissions name of the desktop, and starts the proxy for its buses.
 *
 * @param granted the file systems that are granted besides
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE for what is not there, SETUP_FAILED as `startBusProxy()`, and
 *   as `desktopWishes()` and `planDesktop()`
 */
export async function openDesktop(
  permissions: PermissionSet,
  granted: GrantedPaths,
  bubblewrap: BubblewrapFacts,
): Promise<OpenedDesktop> {
  // the sockets of a proxy are duplicated, and not only borrowed
  requiredSystemCalls();
  const host = hostFacts();
  const desktop = await desktopFacts(permissions);
  const scope = new DescriptorScope();
  let proxy: BusProxy | null = null;
  const discard = (): void => {
    scope[Symbol.dispose]();
    proxy?.close();
  };
  try {
    const opened = new OpenedPaths(scope);
    const wishes = desktopWishes(permissions, host, desktop);
    const found = wishes.parts.map(({ wanted }) => opened.find(wanted));
    const identity = newIdentity();
    const { mounts, hidden } = granted;
    const plan = planDesktop({ permissions, host, desktop, wishes, found, granted: mounts, hidden, identity });
    const { descriptors } = opened;
    if (plan.buses.length > 0) proxy = await startBusProxy({ bubblewrap, desktop: plan, identity, descriptors });
    // a duplicate: the proxy closes its own when it ends, which may be at once
    const sockets = (proxy?.sockets ?? []).map(({ path, descriptor }) => opened.add(path, scope.duplicate(descriptor)));
    const complete = withBusSockets(plan, sockets);
    const paths = placed(complete.mounts, descriptors);
    return { plan: complete, paths, proxy, closeDescriptors: () => scope[Symbol.dispose](), discard };
  } catch (error) {
    discard();
    throw error;
  }
}
