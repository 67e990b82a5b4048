import { readFileSync, writeFileSync } from "node:fs";
import type { Observation, SandboxReport } from "../../src/node/index.js";
import type { Access, Aspect, Mechanism } from "../../src/plan/guarantees.js";
import type { Seen } from "./compare.js";

/** What a report promised of one aspect, and what the conformance program saw of that. */
export interface AspectResult {
  readonly aspect: Aspect;
  readonly access: Access;
  readonly mechanisms: readonly Mechanism[];
  readonly probes: readonly (Observation & { readonly seen: string })[];
}

/** Writes the results of a test, for another process. */
export function writeResults(path: string, report: SandboxReport, seen: Seen): void {
  writeFileSync(path, JSON.stringify(resultsOf(report, seen)));
}

export function readResults(path: string): readonly AspectResult[] {
  return JSON.parse(readFileSync(path, "utf8")) as AspectResult[];
}

export function resultsOf(report: SandboxReport, seen: Seen): readonly AspectResult[] {
  return report.guarantees.map(({ aspect, access, mechanisms, observations }) => ({
    ...{ aspect, access, mechanisms },
    probes: observations.map((observation) => ({ ...observation, seen: seen.get(observation.probe) ?? "" })),
  }));
}
