import { Backend } from "../plan/choose-backend.js";
import { descriptorError, ErrorDomain, GLibError, SandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { exitCodeOfStatus } from "./exit-code.js";
import type { RunOptions } from "./run-options.js";
import type { CommandLauncher, RunningCommand, Shell } from "./shell.js";
import { writeReport } from "./write-report.js";

/**
 * Runs the command, with our own standard streams, and passes signals on to it.
 *
 * @returns the exit code
 */
export async function run(options: RunOptions, shell: Shell): Promise<number> {
  const launcher = launcherFor(options, shell);
  const forwarding = new SignalForwarding(launcher, shell);
  try {
    if (options.reportFile !== null) writeReport(options.reportFile, launcher.explain(), shell);
    const child = await launcher.spawn(options.argv);
    forwarding.sendTo(child);
    return await exitCodeOf(child, shell);
  } catch (error) {
    if (forwarding.first !== null) return 128 + forwarding.first;
    throw error;
  } finally {
    forwarding.stop();
    launcher.close();
  }
}

/** The launcher that does what the options say. */
export function launcherFor(options: RunOptions, shell: Shell): CommandLauncher {
  const inherited = inheritedDescriptors(shell);
  if (options.descriptors.some((fd) => inherited?.has(fd) === false)) throw descriptorError("EBADF");
  const timeout = options.permissions.snapshot().limits.get("timeout") ?? null;
  return shell.launcher({ ...options, backend: Backend.AUTO, timeout });
}

/** What bin/gio-sandbox saw before the runtime began; null if it was not asked. */
function inheritedDescriptors({ environment }: Shell): ReadonlySet<number> | null {
  const list = environment["GIO_SANDBOX_INHERITED_FDS"];
  return list === undefined ? null : new Set(list.split(" ").filter((word) => word !== "").map(Number));
}

async function exitCodeOf(child: RunningCommand, shell: Shell): Promise<number> {
  try {
    await child.waitCheck();
  } catch (error) {
    if (!(error instanceof GLibError)) throw error;
    // the sandbox was lost, or the command's time was over
    const isOurs = error.domain === ErrorDomain.SANDBOX;
    if (isOurs && error.code !== SandboxError.LIMIT_EXCEEDED) throw error;
    if (isOurs) shell.printError(`gio-sandbox: ${printable(error.message, 2000)}\n`);
  }
  return exitCodeOfStatus(child.status());
}

/** signal(7): the numbers are the same on x86-64 and 64-bit ARM. */
const Signal = { HUP: 1, INT: 2, QUIT: 3, USR1: 10, USR2: 12, TERM: 15, CONT: 18, WINCH: 28 } as const;

/** These end us, or would, while there is no child yet. */
const ending: readonly number[] = [Signal.TERM, Signal.INT, Signal.HUP, Signal.QUIT];

/** Passes our signals on: the sandbox has a session of its own, so that even Ctrl-C reaches only us. */
class SignalForwarding {
  /** The signal that ended the launch before there was a child; null if none did. */
  first: number | null = null;
  readonly stop: () => void;
  readonly #launcher: CommandLauncher;
  #child: RunningCommand | null = null;
  /** What came before there was a child: its program can run, and be known to, before we hear of it. */
  readonly #early = new Set<number>();

  constructor(launcher: CommandLauncher, shell: Shell) {
    this.#launcher = launcher;
    this.stop = shell.watchSignals(Object.values(Signal), (signal) => this.#forward(signal));
  }

  sendTo(child: RunningCommand): void {
    this.#child = child;
    for (const signal of this.#early) child.sendSignal(signal);
  }

  #forward(signal: number): void {
    if (this.#child !== null) {
      this.#child.sendSignal(signal);
    } else if (ending.includes(signal)) {
      this.first ??= signal;
      this.#launcher.cancel();
    } else {
      this.#early.add(signal);
    }
  }
}
