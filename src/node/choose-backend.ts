import type { FlatpakConfinement } from "../confinement/confinement.js";
import { bubblewrapUnavailable } from "../plan/bubblewrap-unavailable.js";
import { Backend as BackendName, chooseBackend } from "../plan/choose-backend.js";
import { GLibError, sandboxError } from "../subprocess/glib-error.js";
import type { Backend } from "./backend.js";
import { bubblewrapBackend } from "./bubblewrap-backend.js";
import { isRefusal } from "./bubblewrap-error.js";
import { confinement, ownFlatpak } from "./confinement.js";
import { requiredSystemCalls } from "./descriptor-scope.js";
import { flatpakSpawnBackend } from "./flatpak-spawn-backend.js";
import { portalBackend } from "./portal-backend.js";
import { isKoffiSpared, systemCalls } from "./system-calls.js";
import { unsandboxedBackend } from "./unsandboxed-backend.js";

/**
 * The backend for a launch.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if that cannot be had here, saying why and what would help
 */
export async function backendFor(requested: BackendName): Promise<Backend> {
  const flatpak = ownFlatpak();
  const chosen = chooseBackend(requested, flatpak);
  switch (chosen) {
    case BackendName.FLATPAK_PORTAL:
      if (flatpak === null) throw new TypeError("The portal was chosen outside a Flatpak");
      return "missing" in systemCalls() ? flatpakSpawnBackend(flatpak) : portalBackend(flatpak);
    case BackendName.BUBBLEWRAP:
      return foundBubblewrap(flatpak);
    case BackendName.NONE:
      requiredSystemCalls();
      return unsandboxedBackend();
    case BackendName.LANDLOCK:
      throw new TypeError("There is no such backend");
  }
}

async function foundBubblewrap(flatpak: FlatpakConfinement | null): Promise<Backend> {
  // bwrap is asked while koffi is loaded
  const backend = bubblewrapBackend();
  backend.catch(() => undefined);
  if (!isKoffiSpared()) requireSystemCalls(flatpak);
  try {
    return await backend;
  } catch (error) {
    throw error instanceof GLibError && isRefusal(error) ? bubblewrapUnavailable(confinement(), error) : error;
  }
}

function requireSystemCalls(flatpak: FlatpakConfinement | null): void {
  const calls = systemCalls();
  if ("missing" in calls && flatpak !== null) {
    const message = `No sandbox is available. Bubblewrap: ${calls.missing}, which would be of no help either.`;
    throw bubblewrapUnavailable(flatpak, sandboxError("NOT_AVAILABLE", message, { cause: calls.cause }));
  }
  requiredSystemCalls();
}
