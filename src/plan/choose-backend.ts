import type { FlatpakConfinement } from "../confinement/confinement.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";

/** What can carry a sandbox. */
export const Backend = {
  /** The one for where we are: the portal in a Flatpak, bubblewrap elsewhere. */
  AUTO: "auto",
  /** `org.freedesktop.portal.Flatpak`, in a Flatpak. */
  FLATPAK_PORTAL: "flatpak-portal",
  BUBBLEWRAP: "bubblewrap",
  LANDLOCK: "landlock",
  /** No sandbox at all: only on an explicit request. */
  NONE: "none",
} as const;
export type Backend = (typeof Backend)[keyof typeof Backend];

/** A backend that has been chosen. */
export type ChosenBackend = Exclude<Backend, typeof Backend.AUTO>;

/**
 * The backend for a request, before anything is tried: whether bubblewrap works, and whether the portal answers, only a try
 * can tell. What was asked for is never replaced by another.
 *
 * @param flatpak the one that this program is in; null: it is in none
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE for one that cannot be had here at all
 */
export function chooseBackend(requested: Backend, flatpak: FlatpakConfinement | null): ChosenBackend {
  switch (requested) {
    case Backend.AUTO:
      return flatpak === null ? Backend.BUBBLEWRAP : Backend.FLATPAK_PORTAL;
    case Backend.FLATPAK_PORTAL:
      if (flatpak !== null) return requested;
      throw unavailable("Flatpak's portal serves applications in a Flatpak only, and this program is in none. Leave the backend to AUTO.");
    case Backend.LANDLOCK:
      throw unavailable("the Landlock backend does not exist in this version. Leave the backend to AUTO.");
    case Backend.BUBBLEWRAP:
    case Backend.NONE:
      return requested;
  }
}

function unavailable(why: string): GLibError {
  return sandboxError("NOT_AVAILABLE", `No sandbox is available: ${why}`);
}
