import { randomBytes } from "node:crypto";
import { closeSync, constants, lstatSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { constants as systemConstants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { usableBubblewrap } from "../node/bubblewrap.js";
import { confinement } from "../node/confinement.js";
import { SandboxSubprocessLauncher } from "../node/launcher.js";
import { knownPortalFacts } from "../node/portal-backend.js";
import { loadProfile } from "../node/profiles.js";
import type { SandboxSubprocess } from "../node/subprocess.js";
import { errnoOf } from "../node/system-failure.js";
import type { SandboxReport } from "../plan/sandbox-report.js";
import type { Errno } from "../subprocess/errno.js";
import { SubprocessFlags } from "../subprocess/flags.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import type { CommandLauncher, LaunchSettings, RunningCommand, Shell } from "./shell.js";

export function nodeShell(): Shell {
  return {
    environment: process.env,
    isTerminal: process.stdout.isTTY,
    version: version(),
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

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}

function fileKind(path: string): "file" | "link" | "other" | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  return stats.isFile() ? "file" : stats.isSymbolicLink() ? "link" : "other";
}

function replaceFile(path: string, text: string): Errno | null {
  const temporary = join(dirname(path), `.gio-sandbox-report-${process.pid}-${randomBytes(8).toString("hex")}`);
  try {
    writeNew(temporary, text);
    renameSync(temporary, path);
    return null;
  } catch (cause) {
    removeIfThere(temporary);
    return errnoOf(cause);
  }
}

function writeNew(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it was not made, or has its name already
  }
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

class NodeLauncher implements CommandLauncher {
  readonly #launcher: SandboxSubprocessLauncher;
  readonly #abort = new AbortController();

  constructor({ permissions, backend, timeout, required, environment, directory, descriptors }: LaunchSettings) {
    this.#launcher = new SandboxSubprocessLauncher({
      ...{ flags: SubprocessFlags.STDIN_INHERIT, permissions, backend, timeout },
      ...(required === null ? {} : { requiredGuarantees: required }),
    });
    if (directory !== null) this.#launcher.setCwd(directory);
    for (const [name, value] of environment) {
      if (value === null) this.#launcher.unsetenv(name);
      else this.#launcher.setenv(name, value, true);
    }
    for (const fd of descriptors) this.#launcher.takeFd(fd, fd);
  }

  explain(): SandboxReport {
    return this.#launcher.explain();
  }

  async spawn(argv: readonly string[]): Promise<RunningCommand> {
    return new NodeCommand(await this.#launcher.spawnvAsync(argv, this.#abort.signal));
  }

  cancel(): void {
    this.#abort.abort();
  }

  close(): void {
    this.#launcher.close();
  }
}

class NodeCommand implements RunningCommand {
  readonly #child: SandboxSubprocess;

  constructor(child: SandboxSubprocess) {
    this.#child = child;
  }

  sendSignal(signal: number): void {
    this.#child.sendSignal(signal);
  }

  async waitCheck(): Promise<void> {
    await this.#child.waitCheckAsync();
  }

  status(): WaitStatus {
    return this.#child.getStatus();
  }

  dispose(): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}
