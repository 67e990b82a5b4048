import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { constants } from "node:os";
import { env } from "node:process";
import type { PortalEnd } from "../plan/flatpak-portal-failure.js";
import { portalFailure } from "../plan/flatpak-portal-failure.js";
import type { FlatpakSpawnPlan } from "../plan/flatpak-spawn.js";
import type { PlannedDescriptor } from "../plan/launch-plan.js";
import { errnoMessage } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { Carrier } from "./carrier.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import { childrenOf, endFirstProcess, findFirstProcess, isFirstProcess, killIfThere } from "./host-processes.js";
import { initProgram } from "./init-program.js";
import { listed } from "./listed.js";
import type { PortalPatience } from "./portal-carrier.js";
import { errnoOf } from "./system-failure.js";

/** Where the runtimes of Flatpak have it: what PATH says does not count. */
export const FLATPAK_SPAWN = "/usr/bin/flatpak-spawn";

/** What a launch by flatpak-spawn has besides its plan. */
export interface FlatpakSpawnLaunch {
  /** The shell's descriptors that the plan's places mean; they stay the caller's. */
  readonly child: readonly number[];
  /** The word by which the sandbox's first process is found in /proc; null if its process ids are not exposed to us. */
  readonly label: string | null;
}

/**
 * A sandbox that Flatpak's portal has made because flatpak-spawn(1) asked it to, with gio-sandbox-init in it.
 *
 * flatpak-spawn lives until init has spoken: it keeps what it has given to the sandbox open, so that no pipe would end
 * before it does. The end of the control socket, and of the sandbox's first process, then tell the rest.
 */
export class FlatpakSpawnCarrier implements Carrier {
  /** Our end of init's control socket. */
  readonly control: Socket;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #label: string | null;
  readonly #scope = new DescriptorScope();
  readonly #diagnostics: number;
  readonly #startTimer: NodeJS.Timeout;
  #firstProcess: number | null = null;
  #hasEnded = false;
  #isReady = false;
  #isSilent: PortalEnd | null = null;
  #spawnError: unknown = null;
  #complaint = "";

  /**
   * Starts it.
   *
   * @throws Error if it could not even be tried
   */
  constructor(plan: FlatpakSpawnPlan, { child, label }: FlatpakSpawnLaunch, patience: PortalPatience) {
    this.#label = label;
    try {
      this.#diagnostics = openDiagnostics(this.#scope);
      const stdio = plan.descriptors.map((planned) => realise(planned, child, this.#diagnostics));
      this.#child = spawn(FLATPAK_SPAWN, plan.argv, { stdio, env: busVariables(), cwd: "/" });
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    }
    const exited = new Promise<void>((resolve) => {
      this.#child.once("error", (error) => {
        this.#spawnError = error;
        resolve();
      });
      this.#child.once("exit", () => resolve());
    });
    this.control = controlOf(this.#child, plan);
    const closed = new Promise<void>((resolve) => this.control.once("close", () => resolve()));
    this.#startTimer = setTimeout(() => this.#giveUp({ kind: "silent", milliseconds: patience.start }), patience.start);
    this.#startTimer.unref();
    void exited.then(() => this.#onExit(patience.end));
    this.ended = Promise.all([exited, closed]).then(() => this.#finish(patience.end));
  }

  /** The sandbox's first process, as far as this program can see it. */
  get #pid(): number | null {
    if (this.#label === null || this.#hasEnded) return null;
    // a number that we had may be another's by now
    if (this.#firstProcess === null || !isFirstProcess(this.#firstProcess, this.#label)) {
      this.#firstProcess = findFirstProcess(this.#label);
    }
    return this.#firstProcess;
  }

  findInits(): readonly string[] {
    return childrenOf(this.#pid);
  }

  onReady(): void {
    this.#isReady = true;
    clearTimeout(this.#startTimer);
    this.#child.kill("SIGKILL");
  }

  loss(wasReady: boolean): Error {
    if (this.#spawnError !== null) {
      const what = errnoMessage(errnoOf(this.#spawnError));
      return sandboxError("SETUP_FAILED", `${FLATPAK_SPAWN} could not be started: ${what}`, { cause: this.#spawnError });
    }
    if (wasReady) return sandboxError("SETUP_FAILED", "The sandbox was lost while its process ran: gio-sandbox-init has ended");
    const { exitCode, signalCode } = this.#child;
    const status = signalCode === null ? (exitCode ?? 0) << 8 : constants.signals[signalCode];
    return portalFailure(this.#isSilent ?? { kind: "exited", status }, wasReady, this.#complaint);
  }

  kill(): void {
    if (this.#pid !== null) killIfThere(this.#pid);
    this.#child.kill("SIGKILL");
  }

  unref(): void {
    this.#child.unref();
  }

  ref(): void {
    this.#child.ref();
  }

  #giveUp(end: PortalEnd): void {
    this.#isSilent ??= end;
    this.kill();
    this.control.destroy();
  }

  /** @param patience milliseconds that a portal which started nothing may keep init's end of the socket */
  #onExit(patience: number): void {
    const timer = setTimeout(() => {
      if (!this.#isReady) this.control.destroy();
    }, patience).unref();
    void this.ended.then(() => clearTimeout(timer));
  }

  async #finish(patience: number): Promise<void> {
    clearTimeout(this.#startTimer);
    const first = this.#pid;
    this.#hasEnded = true;
    if (this.#label !== null) await endFirstProcess(first, this.#label, patience);
    this.#complaint = readDiagnostics(this.#diagnostics);
    this.#scope[Symbol.dispose]();
  }
}

/** What flatpak-spawn needs to find the session bus. Nothing of its environment gets into the sandbox. */
function busVariables(): Record<string, string> {
  const variables = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"].map((name) => [name, env[name]] as const);
  return Object.fromEntries(variables.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function controlOf(child: ChildProcess, plan: FlatpakSpawnPlan): Socket {
  const number = plan.descriptors.findIndex(({ kind }) => kind === "control");
  // without a process there are no streams, or such that never end
  const stream: unknown = child.pid === undefined ? null : child.stdio[number];
  return stream instanceof Socket ? stream : new Socket().destroy();
}

function realise(planned: PlannedDescriptor, child: readonly number[], diagnostics: number): number | "ignore" | "pipe" {
  switch (planned.kind) {
    case "null":
      return "ignore";
    case "diagnostics":
      return diagnostics;
    case "control":
      // a pair of sockets
      return "pipe";
    case "init":
      return initProgram();
    case "child":
      return listed(child, planned.index);
    case "data":
    case "granted":
      throw new RangeError(`A plan for flatpak-spawn has no descriptor of the kind ${planned.kind}`);
  }
}
