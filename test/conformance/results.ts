import { readFileSync, writeFileSync } from "node:fs";
import { childDirectories } from "../../src/node/child-directories.js";
import type { Observation, SandboxReport } from "../../src/node/index.js";
import type { Access, Aspect, Mechanism } from "../../src/plan/guarantees.js";
import type { Seen } from "./compare.js";

/** What a report promised of one aspect, and what the conformance program saw of that. */
export interface AspectResult {
  readonly aspect: Aspect;
  readonly access: Access;
  readonly mechanisms: readonly Mechanism[];
  /** The child's home and runtime directories have the names of their variables in them. */
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
  const { home, runtime } = childDirectories();
  const named = (probe: string): string =>
    probe.replace(new RegExp(` ${home}(?=/|$)`), " $HOME").replace(new RegExp(` ${runtime}(?=/|$)`), " $XDG_RUNTIME_DIR");
  return report.guarantees.map(({ aspect, access, mechanisms, observations }) => ({
    ...{ aspect, access, mechanisms },
    probes: observations.map((observation) => {
      const { probe } = observation;
      return { ...observation, probe: named(probe), seen: seen.get(probe) ?? "not tried" };
    }),
  }));
}
