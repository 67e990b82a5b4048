import { constants as systemConstants } from "node:os";
import process from "node:process";
import { usableBubblewrap } from "../node/bubblewrap.js";
import { confinement } from "../node/confinement.js";
import { knownPortalFacts } from "../node/portal-backend.js";
import { loadProfile } from "../node/profiles.js";
import { spareKoffi } from "../node/system-calls.js";
import { fileKind, replaceFile, version } from "./node-files.js";
import { NodeLauncher } from "./node-launcher.js";
import type { Shell } from "./shell.js";

export function nodeShell(): Shell {
  spareKoffi();
  return {
    environment: process.env,
    isTerminal: () => process.stdout.isTTY,
    version,
    print: (text) => void process.stdout.write(text),
    printError: (text) => void process.stderr.write(text),
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

function watchSignals(signals: readonly number[], react: (signal: number) => void): () => void {
  const names = Object.entries(systemConstants.signals) as [NodeJS.Signals, number][];
  const listener = (name: NodeJS.Signals): void => react(systemConstants.signals[name]);
  const watched = signals.flatMap((signal) => names.find(([, number]) => number === signal)?.[0] ?? []);
  for (const name of watched) process.on(name, listener);
  return () => {
    for (const name of watched) process.off(name, listener);
  };
}
