import { EventEmitter } from "node:events";
import type { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import type { FindBackend } from "./backend.js";
import type { Cancellable } from "./cancellable.js";
import type { SandboxUse } from "./open-sandbox.js";
import { OpenSandbox } from "./open-sandbox.js";

/** The events of a `Sandbox`. */
export interface SandboxEvents {
  /** It has ended, and nothing of it is left: the error says why, null if it was closed or was for one process only. */
  exited: [error: Error | null];
  /**
   * The processes in it took more memory than its limit `memory`, and were killed, each and every one. An open sandbox goes on
   * after that, unless the kernel killed its init too.
   */
  outOfMemory: [];
}

let construct: (permissions: SandboxPermissions, sandbox: OpenSandbox) => Sandbox;
let insideOf: (sandbox: Sandbox) => OpenSandbox;

/** See `SandboxSubprocessLauncher.openSandboxAsync()`. */
export async function openSandbox(
  backend: FindBackend,
  permissions: SandboxPermissions,
  use: SandboxUse,
  cancellable: Cancellable | null,
): Promise<Sandbox> {
  return construct(permissions, await OpenSandbox.open(backend, permissions.freeze().snapshot(), use, cancellable));
}

/** What a launcher puts processes into. */
export function openSandboxOf(sandbox: Sandbox): OpenSandbox {
  return insideOf(sandbox);
}

/**
 * A sandbox that is open: processes are put into it one after another or at once, by a launcher whose `sandbox` it is.
 *
 * They share what a sandbox isolates: its private directories, its process ids, its network. A process is started in it
 * in a fraction of the time that a sandbox takes to be made. One that ends does not end the sandbox; what it left running
 * belongs to the sandbox then. The sandbox ends at `close()`, and with the program that opened it, which it does not keep
 * alive while no process runs in it.
 */
export class Sandbox extends EventEmitter<SandboxEvents> {
  /** What its processes may do. */
  readonly permissions: SandboxPermissions;
  readonly #sandbox: OpenSandbox;

  private constructor(permissions: SandboxPermissions, sandbox: OpenSandbox) {
    super();
    this.permissions = permissions;
    this.#sandbox = sandbox;
    sandbox.onOutOfMemory = () => this.emit("outOfMemory");
    void sandbox.ended.then(() => this.emit("exited", sandbox.loss));
  }

  static {
    construct = (permissions, sandbox) => new Sandbox(permissions, sandbox);
    insideOf = (sandbox) => sandbox.#sandbox;
  }

  /** Whether it has ended, or been closed. */
  get isClosed(): boolean {
    return this.#sandbox.isClosed;
  }

  /** Kills everything in it. Processes that run in it are lost: to wait for one of them is a CLOSED error. */
  close(): void {
    this.#sandbox.close();
  }

  /** Closes it, and waits until nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#sandbox.ended;
  }
}
