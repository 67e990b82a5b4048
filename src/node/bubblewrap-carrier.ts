import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import type { BubblewrapPlan, PlannedDescriptor } from "../plan/launch-plan.js";
import { errnoMessage } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { bubblewrapError } from "./bubblewrap-error.js";
import type { Carrier } from "./carrier.js";
import { dataFile } from "./data-file.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import { childrenOf, killTree } from "./host-processes.js";
import { initProgram } from "./init-program.js";
import { errnoOf } from "./system-failure.js";

/** The shell's lists of descriptors that a plan's places mean. They stay the caller's. */
export interface PlanDescriptors {
  readonly granted: readonly number[];
  readonly child: readonly number[];
}

/** A running bwrap with gio-sandbox-init in it. */
export class BubblewrapCarrier implements Carrier {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #diagnostics: number;
  readonly #scope = new DescriptorScope();
  #spawnError: unknown = null;
  /** What bwrap wrote to its standard error: known once it has ended. */
  #complaint = "";

  /**
   * Starts it.
   *
   * @param control the far end of init's control socket; it stays the caller's
   * @throws GLibError if it could not even be tried
   */
  constructor(plan: Omit<BubblewrapPlan, "frames">, descriptors: PlanDescriptors, control: number) {
    const temporary = new DescriptorScope();
    try {
      this.#diagnostics = openDiagnostics(this.#scope);
      this.#child = startHelper(plan, { ...descriptors, control, diagnostics: this.#diagnostics }, temporary);
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    } finally {
      temporary[Symbol.dispose]();
    }
    this.ended = new Promise<void>((resolve) => {
      this.#child.once("error", (error) => {
        this.#spawnError = error;
        resolve();
      });
      this.#child.once("exit", () => resolve());
    }).then(() => {
      this.#complaint = readDiagnostics(this.#diagnostics);
      this.#scope[Symbol.dispose]();
    });
  }

  findInits(): readonly string[] {
    return childrenOf(this.#child.pid ?? null);
  }

  onReady(): void {
    // its end says all there is to know
  }

  loss(wasReady: boolean): Error {
    if (this.#spawnError !== null) {
      const what = errnoMessage(errnoOf(this.#spawnError));
      return sandboxError("SETUP_FAILED", `bwrap could not be started: ${what}`, { cause: this.#spawnError });
    }
    const { exitCode, signalCode: signal } = this.#child;
    if (!wasReady) return bubblewrapError({ exitCode, signal, stderr: this.#complaint });
    const how = signal === null ? `bwrap exited with code ${exitCode ?? "?"}` : `bwrap was killed by ${signal}`;
    return sandboxError("SETUP_FAILED", `The sandbox was lost while its process ran: ${how}`);
  }

  kill(): void {
    killTree(this.#child.pid ?? null);
  }

  unref(): void {
    this.#child.unref();
  }

  ref(): void {
    this.#child.ref();
  }
}

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

function listed(descriptors: readonly number[], index: number): number {
  const descriptor = descriptors[index];
  if (descriptor === undefined) throw new RangeError(`The plan names descriptor ${index} of ${descriptors.length}`);
  return descriptor;
}
