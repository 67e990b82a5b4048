import { accessSync, constants } from "node:fs";
import type { FlatpakConfinement } from "../confinement/confinement.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import { desktopEnvironment } from "../plan/desktop-plan.js";
import { planFlatpakSpawn } from "../plan/flatpak-spawn.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { Backend, PreparedLaunch, PreparedSandbox } from "./backend.js";
import { plainControlSocket } from "./control-socket.js";
import { FLATPAK_SPAWN, FlatpakSpawnCarrier } from "./flatpak-spawn-carrier.js";
import type { GrantedPaths } from "./granted-paths.js";
import type { Portal } from "./portal.js";
import { desktopThroughPortal, portalRequest, sharedPortal } from "./portal-backend.js";
import { PORTAL_PATIENCE } from "./portal-carrier.js";
import { systemCalls } from "./system-calls.js";

/**
 * The portal on the session bus, where koffi cannot be loaded: flatpak-spawn(1) sends the descriptors for us. Every runtime
 * of Flatpak should have it.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE without flatpak-spawn, and if the portal cannot be reached
 */
export async function flatpakSpawnBackend(app: FlatpakConfinement): Promise<Backend> {
  checkProgram();
  return new FlatpakSpawnBackend(await sharedPortal(), app);
}

function checkProgram(): void {
  try {
    accessSync(FLATPAK_SPAWN, constants.X_OK);
  } catch (cause) {
    throw sandboxError(
      "NOT_AVAILABLE",
      `No sandbox is available: ${missing()}, and ${FLATPAK_SPAWN}, which could do without it, is not there. Install koffi.`,
      { cause },
    );
  }
}

function missing(): string {
  const calls = systemCalls();
  return "missing" in calls ? calls.missing : "descriptors cannot be sent";
}

class FlatpakSpawnBackend implements Backend {
  readonly #portal: Portal;
  readonly #app: FlatpakConfinement;

  constructor(portal: Portal, app: FlatpakConfinement) {
    this.#portal = portal;
    this.#app = app;
  }

  prepare(
    permissions: PermissionSet,
    granted: GrantedPaths,
    command: CommandRequest,
    child: readonly number[],
  ): Promise<PreparedLaunch> {
    const { facts } = this.#portal;
    const request = portalRequest(this.#app, facts, permissions, granted);
    const desktop = desktopThroughPortal(permissions, this.#app);
    const plan = planFlatpakSpawn(request, { ...command, environment: desktopEnvironment(command.environment, desktop) });
    const label = facts.supportsExposedPids ? request.label : null;
    return Promise.resolve({
      start: () => {
        const carrier = new FlatpakSpawnCarrier(plan, { child, label }, PORTAL_PATIENCE);
        return { carrier, control: plainControlSocket(carrier.control) };
      },
      frames: () => plan.frames,
      // they have gone with flatpak-spawn
      descriptors: [],
      desktop,
    });
  }

  prepareOpen(): Promise<PreparedSandbox> {
    return Promise.reject(
      sandboxError(
        "NOT_AVAILABLE",
        `No sandbox can be kept open: ${missing()}, and without it no descriptors can be given to what is put into one. Install koffi.`,
      ),
    );
  }
}
