import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { Device, Limit, Share, Socket } from "./permission-set.js";

// Every word of the types, once: a missing one does not compile.

export const shares: readonly Share[] = words<Share>({ network: 0, ipc: 0 });

export const sockets: readonly Socket[] = words<Socket>({
  x11: 0,
  "fallback-x11": 0,
  wayland: 0,
  pulseaudio: 0,
  pipewire: 0,
  "session-bus": 0,
  "system-bus": 0,
  "ssh-auth": 0,
  "gpg-agent": 0,
  pcsc: 0,
  cups: 0,
  "inherit-wayland-socket": 0,
});

export const devices: readonly Device[] = words<Device>({ dri: 0, input: 0, kvm: 0, shm: 0, usb: 0, all: 0 });

export const limits: readonly Limit[] = words<Limit>({
  memory: 0,
  "address-space": 0,
  "cpu-time": 0,
  "file-size": 0,
  "open-files": 0,
  processes: 0,
  core: 0,
  tmpfs: 0,
  timeout: 0,
});

/** What `features` (`--allow`) can name. */
export type Feature = "portals" | "a11y";

export const features: readonly Feature[] = words<Feature>({ portals: 0, a11y: 0 });

/** Features of Flatpak that a sandbox of ours does not have. */
export const foreignFeatures: readonly string[] = ["devel", "multiarch", "bluetooth", "canbus", "per-app-dev-shm"];

function words<Word extends string>(table: Readonly<Record<Word, 0>>): readonly Word[] {
  return Object.keys(table) as Word[];
}

/** @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION unless the word is one of the list */
export function checkWord<Word extends string>(word: string, known: readonly Word[], what: string): Word {
  const found = known.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  throw invalidPermission(`Expected ${inWords(known)} as ${what}, but got “${printable(word, 80)}”`);
}

/** A word that may end with `-try`: what it names may be missing on the host. */
export function parseOptional<Word extends string>(word: string, known: readonly Word[], what: string): Optional<Word> {
  const suffix = "-try";
  const isOptional = word.endsWith(suffix);
  return { word: checkWord(isOptional ? word.slice(0, -suffix.length) : word, known, what), isOptional };
}

export interface Optional<Word> {
  readonly word: Word;
  readonly isOptional: boolean;
}

function inWords(known: readonly string[]): string {
  return known.length < 3 ? known.join(" or ") : `one of ${known.join(", ")}`;
}

export function invalidPermission(message: string): Error {
  return sandboxError("INVALID_PERMISSION", message);
}
