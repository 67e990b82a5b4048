import type { BubblewrapPlan, PlannedDescriptor } from "../plan/launch-plan.js";
import { errnoMessage } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { bubblewrapError } from "./bubblewrap-error.js";
import type { Carrier } from "./carrier.js";
import type { ControlEnd } from "./control-socket.js";
import { dataFile } from "./data-file.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import type { HelperEnd, HelperProcess } from "./helper-process.js";
import { startHelperProcess } from "./helper-process.js";
import { childrenOf, killTree } from "./host-processes.js";
import { initProgram } from "./init-program.js";
import { listed } from "./listed.js";
import { errnoOf } from "./system-failure.js";

/** The shell's lists of descriptors that a plan's places mean. They stay the caller's. */
export interface PlanDescriptors {
  readonly granted: readonly number[];
  readonly child: readonly number[];
}

/** A running bwrap with gio-sandbox-init in it. */
export class BubblewrapCarrier implements Carrier {
  readonly ended: Promise<void>;
  readonly #helper: HelperProcess;
  readonly #diagnostics: number;
  readonly #scope = new DescriptorScope();
  #end: HelperEnd = { exitCode: null, signal: null };
  #spawnError: unknown = null;
  /** What bwrap wrote to its standard error: known once it has ended. */
  #complaint = "";

  /**
   * Starts it.
   *
   * @param control the far end of init's control socket, which stays the caller's; or who takes the near one
   * @throws GLibError if it could not even be tried
   */
  constructor(plan: Omit<BubblewrapPlan, "frames">, descriptors: PlanDescriptors, control: ControlEnd) {
    const temporary = new DescriptorScope();
    try {
      this.#diagnostics = openDiagnostics(this.#scope);
      this.#helper = startHelper(plan, { ...descriptors, control, diagnostics: this.#diagnostics }, temporary);
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    } finally {
      temporary[Symbol.dispose]();
    }
    const noted = this.#helper.ended.then(
      (end) => {
        this.#end = end;
      },
      (error: unknown) => {
        this.#spawnError = error;
      },
    );
    this.ended = noted.then(() => {
      this.#complaint = readDiagnostics(this.#diagnostics);
      this.#scope[Symbol.dispose]();
    });
  }

  findInits(): readonly string[] {
    return childrenOf(this.#helper.pid);
  }

  onReady(): void {
    // its end says all there is to know
  }

  loss(wasReady: boolean): Error {
    if (this.#spawnError !== null) {
      const what = errnoMessage(errnoOf(this.#spawnError));
      return sandboxError("SETUP_FAILED", `bwrap could not be started: ${what}`, { cause: this.#spawnError });
    }
    const { exitCode, signal } = this.#end;
    if (!wasReady) return bubblewrapError({ exitCode, signal, stderr: this.#complaint });
    const how = signal === null ? `bwrap exited with code ${exitCode ?? "?"}` : `bwrap was killed by ${signal}`;
    return sandboxError("SETUP_FAILED", `The sandbox was lost while its process ran: ${how}`);
  }

  hasComplained(): boolean {
    return this.#complaint !== "";
  }

  kill(): void {
    killTree(this.#helper.pid);
  }

  unref(): void {
    this.#helper.unref();
  }

  ref(): void {
    this.#helper.ref();
  }
}

interface RealisedDescriptors<End> extends PlanDescriptors {
  readonly control: End;
  readonly diagnostics: number;
}

/** Starts the helper program of a plan. What it needs for a moment is put into `temporary`. */
export function startHelper(
  plan: Omit<BubblewrapPlan, "frames">,
  descriptors: RealisedDescriptors<ControlEnd>,
  temporary: DescriptorScope,
): HelperProcess {
  return startHelperProcess(plan.program, plan.argv, realised(plan, descriptors, temporary));
}

/** The descriptors of a plan. What is made for that is put into `temporary`. */
export function realised<End>(
  plan: Pick<BubblewrapPlan, "descriptors">,
  descriptors: RealisedDescriptors<End>,
  temporary: DescriptorScope,
): (number | null | End)[] {
  return plan.descriptors.map((planned) => realise(planned, descriptors, temporary));
}

function realise<End>(
  planned: PlannedDescriptor,
  { granted, child, control, diagnostics }: RealisedDescriptors<End>,
  temporary: DescriptorScope,
): number | null | End {
  switch (planned.kind) {
    case "null":
      return null;
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
