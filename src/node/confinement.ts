import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import type { ConfinementFacts } from "../confinement/confinement-facts.js";
import type { Confinement, FlatpakConfinement } from "../confinement/confinement.js";
import { confinementOf, flatpakConfinement } from "../confinement/confinement.js";

/** Where this program runs: found out once, since it does not change. */
export function confinement(): Confinement {
  found ??= confinementOf(confinementFacts());
  return found;
}

let found: Confinement | null = null;

/** The Flatpak that this program is in; null: it is in none. Found out once, and with one look: a launch needs no more. */
export function ownFlatpak(): FlatpakConfinement | null {
  if (flatpak === undefined) flatpak = existsSync(FLATPAK_INFO) ? flatpakConfinement(readText(FLATPAK_INFO)) : null;
  return flatpak;
}

let flatpak: FlatpakConfinement | null | undefined;

const FLATPAK_INFO = "/.flatpak-info";

/** Reads what the verdict needs. What is not there, or is no regular file, is null. */
export function confinementFacts(): ConfinementFacts {
  const { container, SNAP, SNAP_NAME, SNAP_INSTANCE_NAME, SNAP_REVISION } = env;
  return {
    flatpakInfo: readText(FLATPAK_INFO),
    environment: { container, SNAP, SNAP_NAME, SNAP_INSTANCE_NAME, SNAP_REVISION },
    snapYaml: SNAP?.startsWith("/") === true ? readText(join(SNAP, "meta/snap.yaml")) : null,
    cgroup: readText("/proc/self/cgroup"),
    containerMarkers: {
      containerenv: existsSync("/run/.containerenv"),
      dockerenv: existsSync("/.dockerenv"),
      systemd: readText("/run/systemd/container"),
    },
    status: readText("/proc/self/status"),
    uidMap: readText("/proc/self/uid_map"),
    firstProcess: readText("/proc/1/comm"),
  };
}

/** Far more than any of these files has. */
const MAX_LENGTH = 65536;

function readText(path: string): string | null {
  let file: number;
  try {
    // a pipe of this name, say, must not keep us waiting
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(file).isFile()) return null;
    const bytes = new Uint8Array(MAX_LENGTH);
    return new TextDecoder().decode(bytes.subarray(0, readSync(file, bytes)));
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}
