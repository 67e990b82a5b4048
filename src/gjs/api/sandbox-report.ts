import GObject from "gi://GObject?version=2.0";
import { SandboxReport as Inside } from "../../plan/sandbox-report.js";
import { shared } from "./shared.js";
import type { Face } from "./snake-case.js";
import { addMembers, putBehind } from "./snake-case.js";

/** What holds in a sandbox: see the class of this name for Node, whose members it has with names in snake_case. */
export type SandboxReport = Face<Inside>;

type SandboxReportClass = new (inside: Inside) => GObject.Object & SandboxReport;

class Report extends GObject.Object {
  readonly backend: Inside["backend"];
  readonly guarantees: Inside["guarantees"];
  readonly filesystem: Inside["filesystem"];

  constructor(inside: Inside) {
    super();
    putBehind(this, inside);
    this.backend = inside.backend;
    this.guarantees = inside.guarantees;
    this.filesystem = inside.filesystem;
  }
}

export const SandboxReport = shared("SandboxReport", (): SandboxReportClass => {
  GObject.registerClass({ GTypeName: "GioSandboxReport" }, Report);
  addMembers(Report, Inside, (inside) => new SandboxReport(inside as Inside));
  return Report as unknown as SandboxReportClass;
});
