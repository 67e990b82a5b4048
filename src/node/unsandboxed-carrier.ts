import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { pid as ownPid } from "node:process";
import { errnoMessage } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { Carrier } from "./carrier.js";
import { childrenOf } from "./host-processes.js";
import { initProgram } from "./init-program.js";
import { errnoOf } from "./system-failure.js";

/** A gio-sandbox-init among our own processes. */
export class UnsandboxedCarrier implements Carrier {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #spawnError: unknown = null;

  /** @param control the far end of init's control socket; it stays the caller's */
  constructor(control: number) {
    // Descriptors of ours that are not close-on-exec end with init's first launch, before the command begins.
    const stdio = ["ignore", "ignore", "ignore", control] as const;
    this.#child = spawn(`/proc/self/fd/${initProgram()}`, ["3"], { stdio: [...stdio], env: {}, cwd: "/", detached: true });
    this.ended = new Promise<void>((resolve) => {
      this.#child.once("error", (error) => {
        this.#spawnError = error;
        resolve();
      });
      this.#child.once("exit", () => resolve());
    });
  }

  findInits(): readonly string[] {
    return childrenOf(ownPid);
  }

  onReady(): void {
    // its end says all there is to know
  }

  loss(wasReady: boolean): Error {
    if (this.#spawnError !== null) {
      const what = errnoMessage(errnoOf(this.#spawnError));
      return sandboxError("SETUP_FAILED", `gio-sandbox-init could not be started: ${what}`, { cause: this.#spawnError });
    }
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `exited with code ${exitCode ?? "?"}` : `was killed by ${signalCode}`;
    const when = wasReady ? " while its process ran" : "";
    return sandboxError("SETUP_FAILED", `gio-sandbox-init ${how}${when}`);
  }

  /** Init kills all others first, and then itself ends: that it hangs is what the signal is for. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  unref(): void {
    this.#child.unref();
  }

  ref(): void {
    this.#child.ref();
  }
}
