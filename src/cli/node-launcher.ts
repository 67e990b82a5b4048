import { throwUnlessSuccessful } from "../node/check-end.js";
import { SandboxSubprocessLauncher } from "../node/launcher.js";
import type { RunningProcess } from "../node/running-process.js";
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
    const { running } = await this.#launcher.launch(argv, this.#abort.signal);
    return new NodeCommand(running);
  }

  cancel(): void {
    this.#abort.abort();
  }

  close(): void {
    this.#launcher.close();
  }
}

/** As a subprocess of the API, without what that has besides. */
class NodeCommand implements RunningCommand {
  readonly #process: RunningProcess;

  constructor(process: RunningProcess) {
    this.#process = process;
  }

  sendSignal(signal: number): void {
    this.#process.signal(signal);
  }

  async waitCheck(): Promise<void> {
    throwUnlessSuccessful(await this.#process.wait(null), this.#process);
  }

  status(): WaitStatus {
    const { end } = this.#process;
    if (end === null) throw new TypeError("The process has not ended: wait for that first.");
    return end.status;
  }

  dispose(): Promise<void> {
    return this.#process.dispose();
  }
}
