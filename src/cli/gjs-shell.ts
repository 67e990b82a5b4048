import GLib from "gi://GLib?version=2.0";
import { writeSync } from "node:fs";
import { env } from "node:process";
import { isatty } from "node:tty";
import { addWatch, attachSource } from "../gjs/event-loop.js";
import { signalSource } from "../gjs/unix.js";
import { usableBubblewrap } from "../node/bubblewrap.js";
import { confinement } from "../node/confinement.js";
import { knownPortalFacts } from "../node/portal-backend.js";
import { loadProfile } from "../node/profiles.js";
import { fileKind, replaceFile, version } from "./node-files.js";
import { NodeLauncher } from "./node-launcher.js";
import type { Shell } from "./shell.js";

export function gjsShell(): Shell {
  return {
    environment: env,
    isTerminal: () => isatty(1),
    version,
    print: (text) => write(1, text),
    printError: (text) => write(2, text),
    loadProfile,
    fileKind,
    replaceFile,
    confinement,
    portalFacts: knownPortalFacts,
    findBubblewrap: usableBubblewrap,
    launcher: (settings) => new NodeLauncher(settings),
    watchSignals,
  };
}

function write(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written, bytes.length - written);
  } catch {
    // nobody reads it any more
  }
}

/** Those that GLib can watch: of the ones that are passed on, it cannot SIGQUIT and SIGCONT (glib/glib-unix.c). */
const watchable: readonly number[] = [1, 2, 10, 12, 15, 28];

function watchSignals(signals: readonly number[], react: (signal: number) => void): () => void {
  const stops = signals
    .filter((signal) => watchable.includes(signal))
    .map((signal) =>
      addWatch((context) =>
        attachSource(signalSource(signal), context, () => {
          react(signal);
          return GLib.SOURCE_CONTINUE;
        }),
      ),
    );
  return () => stops.forEach((stop) => stop());
}
