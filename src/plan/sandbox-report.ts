import type { ChosenBackend } from "./choose-backend.js";
import type { FilesystemView } from "./filesystem-view.js";
import type { Aspect, Guarantee, Shortfall } from "./guarantees.js";
import { checkRequired } from "./guarantees.js";
import { reportText } from "./report-text.js";

/**
 * What holds in a sandbox: for each aspect what the child can reach, which mechanism sees to it, what the child will
 * observe, and whether the launcher requires it.
 *
 * A report is data, and says nothing of whether the backend works on this machine: a launch finds out, and so does
 * `gio-sandbox check`.
 */
export class SandboxReport {
  readonly backend: ChosenBackend;
  /** One for each aspect, always in the same order. */
  readonly guarantees: readonly Guarantee[];
  /** What the child finds at which path, sorted by path; null if it sees the files of the launching program. */
  readonly filesystem: FilesystemView | null;

  constructor(backend: ChosenBackend, guarantees: readonly Guarantee[], filesystem: FilesystemView | null) {
    this.backend = backend;
    this.guarantees = guarantees;
    this.filesystem = filesystem;
  }

  /** The guarantee for one aspect. @throws TypeError for what is no aspect */
  get(aspect: Aspect): Guarantee {
    const guarantee = this.guarantees.find((candidate) => candidate.aspect === aspect);
    if (guarantee === undefined) throw new TypeError(`Expected an aspect, but got ${JSON.stringify(aspect)}.`);
    return guarantee;
  }

  /** @throws GLibError `gio-sandbox-error-quark` NOT_ENFORCEABLE if a required guarantee is not enforced in full */
  checkRequired(): void {
    const shortfalls = this.guarantees.flatMap(({ aspect, enforcement, shortfall }): [Aspect, Shortfall][] =>
      enforcement === "full" ? [] : [[aspect, { enforcement, reason: shortfall ?? "" }]],
    );
    const required = this.guarantees.filter((guarantee) => guarantee.required).map(({ aspect }) => aspect);
    checkRequired(this.backend, new Map(shortfalls), required);
  }

  /** Whether another report says the same. */
  equals(other: SandboxReport): boolean {
    return JSON.stringify(this) === JSON.stringify(other);
  }

  /** The report for people, as `gio-sandbox explain` prints it. Text from outside has its control characters escaped. */
  toString(): string {
    return reportText(this);
  }

  /** The report as `gio-sandbox explain --json` prints it. */
  toJSON(): SandboxReportData {
    return {
      backend: this.backend,
      guarantees: this.guarantees.map(
        ({ aspect, required, access, enforcement, shortfall, mechanisms, sentences, observations }) => ({
          ...{ aspect, required, access, enforcement, shortfall, mechanisms, sentences, observations },
        }),
      ),
      filesystem: this.filesystem,
    };
  }
}

/** A report as JSON. New keys may come; what is here stays. */
export interface SandboxReportData {
  readonly backend: ChosenBackend;
  readonly guarantees: readonly Guarantee[];
  readonly filesystem: FilesystemView | null;
}
