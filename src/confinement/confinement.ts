import type { ConfinementFacts } from "./confinement-facts.js";
import type { FlatpakInfo } from "./flatpak-info.js";
import { parseFlatpakInfo } from "./flatpak-info.js";

/** Where a program runs, as far as that decides how it can confine its children. */
export type Confinement =
  | FlatpakConfinement
  | SnapConfinement
  | ContainerConfinement
  /** Something like bwrap confines this program: it has a user namespace to itself that maps no more than it needs. */
  | { readonly kind: "sandbox"; readonly firstProcess: string | null }
  | { readonly kind: "host" };

export interface FlatpakConfinement {
  readonly kind: "flatpak";
  readonly info: FlatpakInfo;
  /** It may talk to org.freedesktop.Flatpak, which runs anything outside: nothing really confines it. */
  readonly isTrusted: boolean;
}

export interface SnapConfinement {
  readonly kind: "snap";
  readonly name: string;
  readonly revision: string;
  /** What the snap asked for; `devmode` is a strict one whose rules only complain. Null if its metadata does not say. */
  readonly mode: "strict" | "classic" | "devmode" | null;
}

export interface ContainerConfinement {
  readonly kind: "container";
  /** `docker`, `podman`, `lxc` and so on; null if it cannot be told. */
  readonly manager: string | null;
}

/**
 * The verdict over the facts. A Flatpak or a snap inside a container is the former: that is what says what to do.
 */
export function confinementOf(facts: ConfinementFacts): Confinement {
  return flatpakConfinement(facts.flatpakInfo) ?? snap(facts) ?? container(facts) ?? sandbox(facts) ?? { kind: "host" };
}

/**
 * The verdict as far as Flatpak goes.
 *
 * @param flatpakInfo as in the facts
 */
export function flatpakConfinement(flatpakInfo: string | null): FlatpakConfinement | null {
  const info = flatpakInfo === null ? null : parseFlatpakInfo(flatpakInfo);
  if (info === null) return null;
  const { sessionBus, sockets } = info.context;
  const isTrusted = sockets.has("session-bus") || ["talk", "own"].includes(sessionBus.get("org.freedesktop.Flatpak") ?? "");
  return { kind: "flatpak", info, isTrusted };
}

/** The variables alone prove nothing: a program that a snap has started outside has them too. */
function snap({ environment, snapYaml, cgroup }: ConfinementFacts): SnapConfinement | null {
  const { SNAP, SNAP_NAME, SNAP_INSTANCE_NAME, SNAP_REVISION } = environment;
  if (!SNAP || !SNAP_NAME || !SNAP_REVISION) return null;
  const mode = /^confinement:\s*["']?(strict|classic|devmode)["']?\s*(?:#.*)?$/m.exec(snapYaml ?? "")?.[1] ?? null;
  const isInItsGroup = (cgroup ?? "").includes("/snap.");
  if (snapYaml === null && !isInItsGroup) return null;
  return {
    kind: "snap",
    name: SNAP_INSTANCE_NAME ?? SNAP_NAME,
    revision: SNAP_REVISION,
    // snapd's default for a snap whose metadata does not name one
    mode: mode === "classic" || mode === "devmode" ? mode : snapYaml === null ? null : "strict",
  };
}

const managers: readonly (readonly [pattern: RegExp, manager: string])[] = [
  [/\/(?:docker|system\.slice\/docker)[-/]/, "docker"],
  [/\/(?:libpod|machine\.slice\/libpod)[-_/]/, "podman"],
  [/\/kubepods/, "kubernetes"],
  [/\/(?:lxc|lxc\.payload)[./]/, "lxc"],
];

function container({ environment, containerMarkers, cgroup }: ConfinementFacts): ContainerConfinement | null {
  const { container } = environment;
  if (container) return { kind: "container", manager: container };
  if (containerMarkers.systemd !== null) return { kind: "container", manager: containerMarkers.systemd.trim() || null };
  if (containerMarkers.containerenv) return { kind: "container", manager: "podman" };
  if (containerMarkers.dockerenv) return { kind: "container", manager: "docker" };
  const manager = managers.find(([pattern]) => pattern.test(cgroup ?? ""))?.[1];
  return manager === undefined ? null : { kind: "container", manager };
}

function sandbox({ status, uidMap, firstProcess }: ConfinementFacts): Confinement | null {
  const hasNoNewPrivileges = /^NoNewPrivs:\s*1$/m.test(status ?? "");
  const lengths = (uidMap ?? "").split("\n").map((line) => Number(line.trim().split(/\s+/)[2] ?? "0"));
  const mapped = lengths.reduce((sum, length) => sum + length, 0);
  // the map of a namespace for whole systems has thousands of users, the first one's has all
  return hasNoNewPrivileges && mapped > 0 && mapped <= FEW_USERS ? { kind: "sandbox", firstProcess } : null;
}

/** bwrap maps one user; with the overflow user besides, two. */
const FEW_USERS = 2;
