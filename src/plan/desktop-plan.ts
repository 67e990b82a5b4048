import type { Environment } from "../subprocess/environment.js";
import { getVariable, setVariable } from "../subprocess/environment.js";
import type { BusUpstream, ProxiedBus } from "./bus-proxy.js";
import type { HiddenPath, PlacedMount, PrivateFile, PrivateLink } from "./host-path.js";

/** What of the desktop is in a sandbox. */
export interface DesktopPlan {
  readonly mounts: readonly PlacedMount[];
  readonly files: readonly PrivateFile[];
  readonly links: readonly PrivateLink[];
  /** What of the granted file systems must not be seen. */
  readonly hidden: readonly HiddenPath[];
  /** Directories for the user alone, for what is mounted in them. */
  readonly directories: readonly string[];
  readonly variables: readonly DesktopVariable[];
  /** What xdg-dbus-proxy is to be started for; nothing: it is not needed. */
  readonly buses: readonly { readonly proxied: ProxiedBus; readonly upstream: BusUpstream }[];
  /** The content of /.flatpak-info, for the proxy; null if the child has no identity. */
  readonly info: Uint8Array | null;
  /** What is granted, for a report: each part that is there. */
  readonly grants: readonly DesktopGrant[];
}

export interface DesktopVariable {
  readonly name: string;
  readonly value: string;
  /** It takes the place of this value only; null: of any. */
  readonly over: string | null;
}

/** Something of the desktop that the child reaches. */
export interface DesktopGrant {
  /** As a user writes it: `socket=wayland`. */
  readonly permission: string;
  /** The path on the host, or the abstract name with `@` before it; null for what has neither. */
  readonly source: string | null;
  /** The path in the sandbox; null: the same name on the host's network. */
  readonly target: string | null;
  readonly mechanism: "mount" | "bus-proxy" | "host-network";
}

/** A sandbox without anything of the desktop. */
export const emptyDesktop: DesktopPlan = {
  ...{ mounts: [], files: [], links: [], hidden: [], directories: [], variables: [], buses: [], info: null, grants: [] },
};

/** The child's environment with what it needs to find the desktop. */
export function desktopEnvironment(environment: Environment, { variables }: DesktopPlan): Environment {
  return variables.reduce((result, { name, value, over }) => {
    const old = getVariable(result, name);
    return over === null || old === over ? setVariable(result, name, value) : result;
  }, environment);
}
