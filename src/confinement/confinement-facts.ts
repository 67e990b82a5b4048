/** What a shell reads to find out where it runs. Null is what is not there, or cannot be read. */
export interface ConfinementFacts {
  /** /.flatpak-info, if it is a regular file */
  readonly flatpakInfo: string | null;
  readonly environment: ConfinementVariables;
  /** $SNAP/meta/snap.yaml */
  readonly snapYaml: string | null;
  /** /proc/self/cgroup */
  readonly cgroup: string | null;
  readonly containerMarkers: {
    /** Whether there is a /run/.containerenv, podman's. */
    readonly containerenv: boolean;
    /** Whether there is a /.dockerenv. */
    readonly dockerenv: boolean;
    /** /run/systemd/container: the manager's name, as systemd noted it */
    readonly systemd: string | null;
  };
  /** /proc/self/status */
  readonly status: string | null;
  /** /proc/self/uid_map */
  readonly uidMap: string | null;
  /** /proc/1/comm */
  readonly firstProcess: string | null;
}

export interface ConfinementVariables {
  /** systemd's container interface, and podman's, say the manager in it. */
  readonly container?: string | undefined;
  readonly SNAP?: string | undefined;
  readonly SNAP_NAME?: string | undefined;
  readonly SNAP_INSTANCE_NAME?: string | undefined;
  readonly SNAP_REVISION?: string | undefined;
}
