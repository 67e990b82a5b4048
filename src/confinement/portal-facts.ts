/** What org.freedesktop.portal.Flatpak says of itself. */
export interface PortalFacts {
  /** Its property `version`: 3 came with Flatpak 1.6, 4 with 1.8, 5 with 1.10, 6 with 1.12, 7 with 1.16, 8 with 1.18. */
  readonly version: number;
  /** Bit 1 of its property `supports`: false where bwrap is setuid. */
  readonly supportsExposedPids: boolean;
}
