import { SandboxReport as Inside } from "../../plan/sandbox-report.js";
import { shared } from "./shared.js";
import type { Face } from "./snake-case.js";
import { addMembers, putBehind } from "./snake-case.js";

/** What holds in a sandbox: see the class of this name for Node, whose members it has with names in snake_case. */
export type SandboxReport = Face<Inside>;

type SandboxReportClass = new (inside: Inside) => SandboxReport;

export const SandboxReport = shared("SandboxReport", (): SandboxReportClass => {
  class SandboxReport {
    readonly backend: Inside["backend"];
    readonly guarantees: Inside["guarantees"];
    readonly filesystem: Inside["filesystem"];

    constructor(inside: Inside) {
      putBehind(this, inside);
      this.backend = inside.backend;
      this.guarantees = inside.guarantees;
      this.filesystem = inside.filesystem;
    }
  }
  addMembers(SandboxReport, Inside, (inside) => new SandboxReport(inside as Inside));
  return SandboxReport as unknown as SandboxReportClass;
});
