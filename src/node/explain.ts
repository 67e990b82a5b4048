import { readdirSync, readlinkSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { PortalFacts } from "../confinement/portal-facts.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import { planOpenBubblewrap } from "../plan/bubblewrap.js";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import { bubblewrapGuarantees } from "../plan/bubblewrap-guarantees.js";
import { bubblewrapOptions } from "../plan/bubblewrap-words.js";
import { Backend, chooseBackend } from "../plan/choose-backend.js";
import { DEFAULT_APPLICATION } from "../plan/bus-proxy.js";
import type { DesktopPlan } from "../plan/desktop-plan.js";
import { desktopEnvironment } from "../plan/desktop-plan.js";
import { desktopWishes, planDesktop, withBusSockets } from "../plan/desktop.js";
import { filterVerdicts } from "../plan/filter-verdicts.js";
import type { HostFileKind } from "../plan/filesystem-view.js";
import { filesystemView, lookedUp } from "../plan/filesystem-view.js";
import type { FoundPath } from "../plan/host-path.js";
import type { Aspect } from "../plan/guarantees.js";
import { guaranteesOf } from "../plan/guarantees.js";
import type { LimitFacts } from "../plan/limit-mechanisms.js";
import { isScopeUseful } from "../plan/scope-request.js";
import { portalFilesystem } from "../plan/flatpak-portal-filesystem.js";
import { portalGuarantees } from "../plan/flatpak-portal-guarantees.js";
import { sandboxFlags } from "../plan/flatpak-portal-permissions.js";
import { SandboxReport } from "../plan/sandbox-report.js";
import { shortfalls } from "../plan/shortfalls.js";
import { unsandboxedGuarantees } from "../plan/unsandboxed-guarantees.js";
import type { Environment } from "../subprocess/environment.js";
import { childDirectories } from "./child-directories.js";
import { ownFlatpak } from "./confinement.js";
import type { DescriptorScope } from "./descriptor-scope.js";
import { localDesktopFacts } from "./desktop-facts.js";
import type { GrantedPaths } from "./granted-paths.js";
import { OpenedPaths, openGrantedPaths } from "./granted-paths.js";
import { hostFacts } from "./host.js";
import { expectedLimitScope } from "./limit-scope.js";
import { desktopThroughPortal, knownPortalFacts } from "./portal-backend.js";

/** A launch, as far as a report speaks of it. */
export interface ExplainedLaunch {
  readonly backend: Backend;
  readonly required: readonly Aspect[];
  readonly permissions: PermissionSet;
  readonly environment: Environment;
  /** The working directory, inside the sandbox. */
  readonly directory: string;
  /** The numbers of the child's descriptors, besides its standard streams. */
  readonly descriptors: readonly number[];
  /** Milliseconds, or null for any time. */
  readonly timeout: number | null;
}

/** What of the host is in a sandbox. */
export interface SandboxContents {
  readonly granted: Pick<GrantedPaths, "mounts">;
  readonly desktop: DesktopPlan;
  /** Which limits a cgroup holds; null: there is none. */
  readonly scope: LimitFacts["scope"];
}

/**
 * What would be in a sandbox that is made now. Nothing is started for it: where a proxy would make a socket, it stands as
 * if it were there.
 *
 * @throws GLibError as a launch, for what cannot be granted
 */
export function foreseenContents(requested: Backend, permissions: PermissionSet, scope: DescriptorScope): SandboxContents {
  const granted = openGrantedPaths(permissions, scope);
  const flatpak = ownFlatpak();
  if (chooseBackend(requested, flatpak) === Backend.FLATPAK_PORTAL && flatpak !== null) {
    return { granted, desktop: desktopThroughPortal(permissions, flatpak), scope: null };
  }
  const host = hostFacts();
  // the address of this bus is asked for on another one, and the report does not depend on it
  const desktop = { ...localDesktopFacts(permissions), a11yBus: [{ kind: "abstract", name: "at-spi" } as const] };
  const wishes = desktopWishes(permissions, host, desktop);
  const opened = new OpenedPaths(scope);
  const found = wishes.parts.map(({ wanted }) => opened.find(wanted));
  const { mounts, hidden } = granted;
  const identity = { application: DEFAULT_APPLICATION, instance: "0" };
  const plan = planDesktop({ permissions, host, desktop, wishes, found, granted: mounts, hidden, identity });
  const sockets = plan.buses.map(({ proxied }) => socketOfProxy(proxied.target));
  const limitScope = isScopeUseful(permissions.limits) ? expectedLimitScope() : null;
  return { granted, desktop: withBusSockets(plan, sockets), scope: limitScope };
}

function socketOfProxy(path: string): FoundPath {
  return { path, descriptor: 0, device: 0n, inode: 0n, kind: "other" };
}

/**
 * What will hold for a child that is launched so. Nothing is started for it.
 *
 * @throws GLibError as the planner of the backend; `gio-sandbox-error-quark` NOT_AVAILABLE for a backend that is not there
 */
export function explain(launch: ExplainedLaunch, contents: SandboxContents): SandboxReport {
  const { required } = launch;
  const backend = chooseBackend(launch.backend, ownFlatpak());
  switch (backend) {
    case Backend.BUBBLEWRAP:
      return explainBubblewrap(launch, contents);
    case Backend.FLATPAK_PORTAL:
      return explainPortal(launch, contents);
    case Backend.NONE:
      return new SandboxReport(backend, guaranteesOf(unsandboxedGuarantees(), shortfalls[backend], required), null);
    case Backend.LANDLOCK:
      throw new TypeError("There is no such backend");
  }
}

function explainBubblewrap(launch: ExplainedLaunch, { granted, desktop, scope }: SandboxContents): SandboxReport {
  const { permissions, required } = launch;
  const host = hostFacts();
  const mounts = [...granted.mounts, ...desktop.mounts];
  const plan = planOpenBubblewrap({ host, bubblewrap: anyBubblewrap, permissions, mounts, desktop, pid1: "init" }, 0);
  const filesystem = lookedUp(filesystemView(plan, mounts, new Set(desktop.buses.map(({ proxied }) => proxied.target))), hostFileKind);
  const statements = bubblewrapGuarantees({
    ...launch,
    environment: desktopEnvironment(launch.environment, desktop),
    host,
    mounts: granted.mounts,
    grants: desktop.grants,
    limitFacts: { uid: host.uid, kernelRelease: release(), scope },
    filesystem,
    options: bubblewrapOptions(plan),
    filter: filterVerdicts(permissions.syscalls, host.architecture),
  });
  return new SandboxReport(Backend.BUBBLEWRAP, guaranteesOf(statements, shortfalls[Backend.BUBBLEWRAP], required), filesystem);
}

function explainPortal(launch: ExplainedLaunch, { granted, desktop, scope }: SandboxContents): SandboxReport {
  const { permissions, required } = launch;
  const flatpak = ownFlatpak();
  if (flatpak === null) throw new TypeError("The portal was chosen outside a Flatpak");
  const { info } = flatpak;
  const portal = knownPortalFacts();
  // what would be refused, is refused here
  sandboxFlags(permissions, info.context, portal ?? NEWEST_PORTAL);
  const host = hostFacts();
  const { mounts } = granted;
  const directories = childDirectories();
  const { devices } = localDesktopFacts(permissions);
  const links = linksIn(directories.runtime);
  const picture = portalFilesystem({ host, permissions, directories, mounts, desktop, links, devices });
  const filesystem = lookedUp(picture, hostFileKind);
  const statements = portalGuarantees({
    ...launch,
    environment: desktopEnvironment(launch.environment, desktop),
    ...{ host, mounts, grants: desktop.grants, filesystem, app: info, portal, runtime: directories.runtime },
    limitFacts: { uid: host.uid, kernelRelease: release(), scope },
    filter: filterVerdicts(permissions.syscalls, host.architecture),
  });
  return new SandboxReport(Backend.FLATPAK_PORTAL, guaranteesOf(statements, shortfalls[Backend.FLATPAK_PORTAL], required), filesystem);
}

function linksIn(directory: string): ReadonlyMap<string, string> {
  try {
    const links = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    return new Map(links.map(({ name }) => [join(directory, name), readlinkSync(join(directory, name))]));
  } catch {
    // it may be another's, or change while we look
    return new Map();
  }
}

/** Stands for one that has not been asked yet: a launch says what an older one cannot do. */
const NEWEST_PORTAL: PortalFacts = { version: 8, supportsExposedPids: true };

/** A report is the same for every bwrap that can be used: only how paths are mounted differs. */
const anyBubblewrap: BubblewrapFacts = { path: "bwrap", version: [0, 8, 0], options: new Set() };

/** What bwrap would find: it follows links too. */
function hostFileKind(path: string): HostFileKind {
  try {
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch {
    return null;
  }
}
