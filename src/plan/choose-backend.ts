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
