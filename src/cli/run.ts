import { constants } from "node:os";
import process from "node:process";
import { SandboxSubprocessLauncher } from "../node/launcher.js";
import type { SandboxSubprocess } from "../node/subprocess.js";
import { SubprocessFlags } from "../subprocess/flags.js";
import { descriptorError, ErrorDomain, GLibError, SandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { exitCodeOfStatus } from "./exit-code.js";
import type { RunOptions } from "./run-options.js";
import { writeReport } from "./write-report.js";

/**
 * Runs the command, with our own standard streams, and passes signals on to it.
 *
 * @param inherited the descriptors that are the caller's; null if that is not known
 * @returns the exit code
 */
export async function run(options: RunOptions, inherited: ReadonlySet<number> | null): Promise<number> {
  using launcher = launcherFor(options, inherited);
  if (options.reportFile !== null) writeReport(options.reportFile, launcher.explain());
  const abort = new AbortController();
  const forwarding = new SignalForwarding(abort);
  try {
    const child = await launcher.spawnvAsync(options.argv, abort.signal);
    forwarding.sendTo(child);
    return await exitCodeOf(child);
  } catch (error) {
    if (forwarding.first !== null) return 128 + forwarding.first;
    throw error;
  } finally {
    forwarding.stop();
  }
}

/** The launcher that does what the options say. */
export function launcherFor(options: RunOptions, inherited: ReadonlySet<number> | null): SandboxSubprocessLauncher {
  const launcher = new SandboxSubprocessLauncher({
    flags: SubprocessFlags.STDIN_INHERIT,
    permissions: options.permissions,
    timeout: options.permissions.snapshot().limits.get("timeout") ?? null,
    ...(options.required === null ? {} : { requiredGuarantees: options.required }),
  });
  if (options.directory !== null) launcher.setCwd(options.directory);
  for (const [name, value] of options.environment) {
    if (value === null) launcher.unsetenv(name);
    else launcher.setenv(name, value, true);
  }
  for (const fd of options.descriptors) {
    if (inherited?.has(fd) === false) throw descriptorError("EBADF");
    launcher.takeFd(fd, fd);
  }
  return launcher;
}

async function exitCodeOf(child: SandboxSubprocess): Promise<number> {
  try {
    await child.waitCheckAsync();
  } catch (error) {
    if (!(error instanceof GLibError)) throw error;
    // the sandbox was lost, or the command's time was over
    const isOurs = error.domain === ErrorDomain.SANDBOX;
    if (isOurs && error.code !== SandboxError.LIMIT_EXCEEDED) throw error;
    if (isOurs) process.stderr.write(`gio-sandbox: ${printable(error.message, 2000)}\n`);
  }
  return exitCodeOfStatus(child.getStatus());
}

const forwarded = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGWINCH"] as const;

/** These end us, or would, while there is no child yet. */
const ending: readonly string[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/** Passes our signals on: the sandbox has a session of its own, so that even Ctrl-C reaches only us. */
class SignalForwarding {
  /** The signal that ended the launch before there was a child; null if none did. */
  first: number | null = null;
  readonly #abort: AbortController;
  #child: SandboxSubprocess | null = null;
  /** What came before there was a child: its program can run, and be known to, before we hear of it. */
  readonly #early = new Set<number>();

  constructor(abort: AbortController) {
    this.#abort = abort;
    for (const signal of forwarded) process.on(signal, this.#forward);
  }

  sendTo(child: SandboxSubprocess): void {
    this.#child = child;
    for (const signal of this.#early) child.sendSignal(signal);
  }

  stop(): void {
    for (const signal of forwarded) process.off(signal, this.#forward);
  }

  readonly #forward = (signal: NodeJS.Signals): void => {
    const number = constants.signals[signal];
    if (this.#child !== null) {
      this.#child.sendSignal(number);
    } else if (ending.includes(signal)) {
      this.first ??= number;
      this.#abort.abort();
    } else {
      this.#early.add(number);
    }
  };
}
