import { SandboxSubprocessLauncher } from "../node/launcher.js";
import type { SandboxSubprocess } from "../node/subprocess.js";
import type { SandboxReport } from "../plan/sandbox-report.js";
import { SubprocessFlags } from "../subprocess/flags.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import type { CommandLauncher, LaunchSettings, RunningCommand } from "./shell.js";

/** Launches the command as the API of Node does, whose code is GJS's too. */
export class NodeLauncher implements CommandLauncher {
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
