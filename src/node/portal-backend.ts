import { randomBytes } from "node:crypto";
import { accessSync, constants, readlinkSync } from "node:fs";
import { env } from "node:process";
import type { FlatpakConfinement } from "../confinement/confinement.js";
import type { PortalFacts } from "../confinement/portal-facts.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { DesktopPlan } from "../plan/desktop-plan.js";
import { desktopEnvironment } from "../plan/desktop-plan.js";
import type { PortalMount, PortalPlan, PortalRequest } from "../plan/flatpak-portal.js";
import { planFlatpakPortal, planOpenFlatpakPortal } from "../plan/flatpak-portal.js";
import { portalDesktop } from "../plan/flatpak-portal-desktop.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch, PreparedSandbox } from "./backend.js";
import { childDirectories } from "./child-directories.js";
import { overSocketPair } from "./control-socket.js";
import type { GrantedPaths } from "./granted-paths.js";
import { initProgramPath } from "./init-program.js";
import { listed } from "./listed.js";
import { Portal } from "./portal.js";
import type { PortalPatience } from "./portal-carrier.js";
import { PORTAL_PATIENCE, PortalCarrier } from "./portal-carrier.js";

/**
 * The portal on the session bus.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if it cannot be reached
 */
export async function portalBackend(app: FlatpakConfinement): Promise<Backend> {
  return new PortalBackend(await sharedPortal(), app, PORTAL_PATIENCE);
}

/** The connection to the portal that all launches share: a new one when the old one has ended. */
export function sharedPortal(): Promise<Portal> {
  shared ??= connect();
  return shared;
}

let shared: Promise<Portal> | null = null;

/** What the portal said of itself, if it has been asked already. */
export function knownPortalFacts(): PortalFacts | null {
  return known;
}

let known: PortalFacts | null = null;

function connect(): Promise<Portal> {
  const connection = Portal.connect("session").then((portal) => {
    known = portal.facts;
    return portal;
  });
  const forget = (): void => {
    if (shared === connection) shared = null;
  };
  connection.then((portal) => void portal.closed.then(forget), forget);
  return connection;
}

/** What of the desktop a sandbox has that this application starts. */
export function desktopThroughPortal(permissions: PermissionSet, { info }: FlatpakConfinement): DesktopPlan {
  return portalDesktop(permissions, info.context, env, childDirectories().runtime);
}

/** Launches through a portal. */
export class PortalBackend implements Backend {
  readonly #portal: Portal;
  readonly #app: FlatpakConfinement;
  readonly #patience: PortalPatience;

  constructor(portal: Portal, app: FlatpakConfinement, patience: PortalPatience) {
    this.#portal = portal;
    this.#app = app;
    this.#patience = patience;
  }

  prepare(
    permissions: PermissionSet,
    granted: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch> {
    const request = portalRequest(this.#app, this.#portal.facts, permissions, granted);
    const desktop = desktopThroughPortal(permissions, this.#app);
    const plan = planFlatpakPortal(request, { ...command, environment: desktopEnvironment(command.environment, desktop) });
    return Promise.resolve({ ...this.#prepared(request, plan, child), desktop });
  }

  prepareOpen(permissions: PermissionSet, granted: GrantedPaths, helloFlags: number): Promise<PreparedSandbox> {
    const request = portalRequest(this.#app, this.#portal.facts, permissions, granted);
    const plan = planOpenFlatpakPortal(request, helloFlags);
    const desktop = desktopThroughPortal(permissions, this.#app);
    return Promise.resolve({ ...this.#prepared(request, plan, []), desktop, filters: plan.filters });
  }

  #prepared(
    { mounts, label }: PortalRequest,
    { spawn, frames, sources }: PortalPlan,
    child: readonly number[],
  ): PreparedLaunch {
    return {
      start: overSocketPair((control) => new PortalCarrier(this.#portal, { spawn, mounts, label }, control, this.#patience)),
      frames: () => frames,
      descriptors: sources.map((index) => listed(child, index)),
    };
  }
}

/** What a sandbox of the portal's is to be, as things are now. */
export function portalRequest(
  app: FlatpakConfinement,
  portal: PortalFacts,
  permissions: PermissionSet,
  granted: GrantedPaths,
): PortalRequest {
  return { app, portal, permissions, mounts: portalMounts(granted), initPath: initProgramPath(), label: newLabel() };
}

function newLabel(): string {
  return `gio-sandbox-${randomBytes(8).toString("hex")}`;
}

function portalMounts({ mounts, descriptors }: GrantedPaths): PortalMount[] {
  return mounts.map((mount, index) => {
    const link = `/proc/self/fd/${descriptors[index] ?? -1}`;
    return { ...mount, realPath: realPathOf(link), isWritableHere: isWritable(link) };
  });
}

function realPathOf(link: string): string | null {
  const path = readlinkSync(link);
  return path.startsWith("/") && !path.endsWith(" (deleted)") ? path : null;
}

function isWritable(link: string): boolean {
  try {
    accessSync(link, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
