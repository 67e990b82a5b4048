import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import type { InitEvent, LaunchFailure, ProcessExit } from "../init/decode.js";
import type { SignalScope } from "../init/protocol.js";
import { bubblewrapFailure } from "../plan/bubblewrap-failure.js";
import { refusalError } from "../plan/launch-failure.js";
import type { BubblewrapPlan, PlannedDescriptor } from "../plan/launch-plan.js";
import { errnoMessage } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { Control } from "./control.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import { killTree } from "./host-processes.js";
import { initProgram } from "./init-program.js";
import { errnoOf } from "./system-failure.js";

/** The shell's lists of descriptors that a plan's places mean. They stay the caller's. */
export interface PlanDescriptors {
  readonly granted: readonly number[];
  readonly child: readonly number[];
}

/** Who hears of the one process in a sandbox. */
export interface SandboxListener {
  onStarted(pid: number): void;
  onFailed(failure: LaunchFailure): void;
  onExited(exit: ProcessExit): void;
  /** The sandbox could not be set up, or was lost while its process ran. */
  onLost(error: Error): void;
}

/** A running bwrap with gio-sandbox-init in it. */
export class BubblewrapSandbox {
  /** The pid of bwrap on the host; null if it never ran. */
  readonly pid: number | null;
  /** Settles, without an error, when nothing of the sandbox is left. */
  readonly ended: Promise<void>;
  readonly #listener: SandboxListener;
  readonly #child: ChildProcess;
  readonly #control: Control;
  readonly #diagnostics: number;
  readonly #scope = new DescriptorScope();
  #resolveEnded!: () => void;
  #spawnError: unknown = null;
  #refusal: Error | null = null;
  #controlError: Error | null = null;
  #isReady = false;
  #isSettled = false;
  #isClosed = false;
  #childEnded = false;
  #controlEnded = false;

  /**
   * Starts it.
   *
   * @throws GLibError if it could not even be tried
   */
  constructor(plan: BubblewrapPlan, descriptors: PlanDescriptors, listener: SandboxListener) {
    this.#listener = listener;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    const temporary = new DescriptorScope();
    try {
      const [ours, theirs] = temporary.socketPair();
      this.#diagnostics = openDiagnostics(this.#scope);
      const realised = { ...descriptors, control: theirs, diagnostics: this.#diagnostics };
      this.#child = startHelper(plan, realised, temporary);
      this.#control = new Control(temporary.release(ours), {
        onEvent: (event) => this.#onEvent(event),
        onEnd: (error) => this.#onControlEnd(error),
      });
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    } finally {
      temporary[Symbol.dispose]();
    }
    this.pid = this.#child.pid ?? null;
    this.#child.on("error", (error) => this.#onSpawnError(error));
    this.#child.on("exit", () => this.#onChildExit());
    this.#control.write(plan.frames);
  }

  signal(process: number, signal: number, scope: SignalScope): void {
    this.#control.signal(process, signal, scope);
  }

  /**
   * Kills everything in the sandbox, whatever state it is in. Nothing is heard of it after that but `ended`, for which the
   * program stays alive.
   */
  close(): void {
    this.#isClosed = true;
    this.#control.ref();
    this.#child.ref();
    this.#control.close();
    this.#forceEnd();
  }

  /** Lets the program end, and the sandbox with it, although something still runs in there. */
  unref(): void {
    this.#control.unref();
    this.#child.unref();
  }

  #onEvent(event: InitEvent): void {
    if (this.#isClosed) return;
    switch (event.type) {
      case "ready":
        this.#isReady = true;
        break;
      case "started":
        this.#listener.onStarted(event.pid);
        break;
      case "failed":
        this.#settle(() => this.#listener.onFailed(event));
        break;
      case "exited":
        this.#settle(() => this.#listener.onExited(event));
        break;
      case "refused":
        this.#refusal = refusalError(event.reason);
        break;
      case "empty":
        break;
    }
  }

  #onSpawnError(error: unknown): void {
    this.#spawnError = error;
    this.#onChildExit();
    this.#control.close();
  }

  #onChildExit(): void {
    this.#childEnded = true;
    this.#onSomeEnd();
  }

  #onControlEnd(error: Error | null): void {
    this.#controlEnded = true;
    this.#controlError = error;
    this.#forceEnd();
    this.#onSomeEnd();
  }

  #onSomeEnd(): void {
    if (!this.#childEnded || !this.#controlEnded) return;
    if (!this.#isClosed) this.#settle(() => this.#listener.onLost(this.#loss()));
    this.#scope[Symbol.dispose]();
    this.#resolveEnded();
  }

  /**
   * Without its control socket init exits, as soon as it runs. bwrap must not be killed before that: its child would wait
   * for it for ever. Only what does not end by itself is killed, from below.
   */
  #forceEnd(): void {
    const timer = setTimeout(() => killTree(this.pid), PATIENCE);
    timer.unref();
    void this.ended.then(() => clearTimeout(timer));
  }

  #settle(report: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    report();
  }

  #loss(): Error {
    if (this.#spawnError !== null) {
      const what = errnoMessage(errnoOf(this.#spawnError));
      return sandboxError("SETUP_FAILED", `bwrap could not be started: ${what}`, { cause: this.#spawnError });
    }
    const end = { exitCode: this.#child.exitCode, signal: this.#child.signalCode, stderr: readDiagnostics(this.#diagnostics) };
    if (this.#controlError !== null) return this.#controlError;
    if (this.#refusal !== null) return this.#refusal;
    if (!this.#isReady) return bubblewrapFailure(end);
    const how = end.signal === null ? `bwrap exited with code ${end.exitCode ?? "?"}` : `bwrap was killed by ${end.signal}`;
    return sandboxError("SETUP_FAILED", `The sandbox was lost while its process ran: ${how}`);
  }
}

/** Milliseconds that a sandbox has to end by itself. */
const PATIENCE = 5000;

interface RealisedDescriptors extends PlanDescriptors {
  readonly control: number;
  readonly diagnostics: number;
}

/** Starts the helper program of a plan. What it needs for a moment is put into `temporary`. */
export function startHelper(
  plan: Omit<BubblewrapPlan, "frames">,
  descriptors: RealisedDescriptors,
  temporary: DescriptorScope,
): ChildProcess {
  const stdio = plan.descriptors.map((planned) => realise(planned, descriptors, temporary));
  // No variable of ours or of the child's: bwrap, and what it starts, begin with none.
  return spawn(plan.program, plan.argv, { stdio, env: {}, cwd: "/" });
}

function realise(
  planned: PlannedDescriptor,
  { granted, child, control, diagnostics }: RealisedDescriptors,
  temporary: DescriptorScope,
): number | "ignore" {
  switch (planned.kind) {
    case "null":
      return "ignore";
    case "diagnostics":
      return diagnostics;
    case "control":
      return control;
    case "init":
      return initProgram();
    case "data":
      return dataFile(planned.bytes, temporary);
    case "granted":
      return listed(granted, planned.index);
    case "child":
      return listed(child, planned.index);
  }
}

function dataFile(bytes: Uint8Array, temporary: DescriptorScope): number {
  const file = temporary.memoryFile("gio-sandbox-data");
  // at a position, so that the file's own stays at the start
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset, bytes.length - offset, offset);
  return file;
}

function listed(descriptors: readonly number[], index: number): number {
  const descriptor = descriptors[index];
  if (descriptor === undefined) throw new RangeError(`The plan names descriptor ${index} of ${descriptors.length}`);
  return descriptor;
}
