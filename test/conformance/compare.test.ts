import assert from "node:assert/strict";
import type { FilesystemView } from "../../src/plan/filesystem-view.js";
import { Outside } from "../../src/plan/guarantees.js";
import { SandboxReport } from "../../src/plan/sandbox-report.js";
import { bubblewrapReport } from "../plan/reports.js";
import { differences, mountDifferences } from "./compare.js";

/** What a program would see of a report that keeps its word. */
function keptPromises(report: SandboxReport): Map<string, string> {
  return new Map(report.guarantees.flatMap(({ observations }) => observations.map(({ probe, result }) => [probe, result])));
}

describe("the comparison of a report with what was seen", () => {
  const report = bubblewrapReport();
  const outside = new Map([...keptPromises(report).keys()].map((probe) => [probe, "OK"]));

  function seenWith(changes: Readonly<Record<string, string>>): Map<string, string> {
    const resolved = [...keptPromises(report)].map(([probe, result]): [string, string] => {
      if (result === Outside.SAME) return [probe, "OK"];
      return [probe, result === Outside.READ_ONLY ? "EROFS" : result];
    });
    return new Map([...resolved, ...Object.entries(changes)]);
  }

  it("finds none if every promise is kept", () => {
    assert.deepEqual(differences(report, seenWith({}), outside), []);
  });

  it("finds every entry that is another", () => {
    for (const [probe, result] of seenWith({})) {
      const seen = `not ${result}`;
      assert.deepEqual(differences(report, seenWith({ [probe]: seen }), outside), [{ probe, promised: result, seen }]);
    }
  });

  it("finds what was not tried, and what was not promised", () => {
    const seen = seenWith({ "new-probe": "OK" });
    seen.delete("capabilities");
    assert.deepEqual(differences(report, seen, outside), [
      { probe: "capabilities", promised: "none", seen: "not tried" },
      { probe: "new-probe", promised: "nothing", seen: "OK" },
    ]);
  });

  it("finds mounts that the picture does not have, and those that are writable against it", () => {
    const { promised } = mountDifferences(report, new Map());
    const seen = (...lines: readonly string[]): readonly string[] =>
      mountDifferences(report, new Map([["mounts", lines.join("\n")]])).seen;
    assert.deepEqual(seen(...promised, "/dev/pts rw", "/usr/share/x ro"), promised);
    assert.notDeepEqual(seen(...promised, "/secret ro"), promised);
    assert.notDeepEqual(seen(...promised.map((line) => line.replace("/usr ro", "/usr rw"))), promised);
  });

  it("lets Flatpak mount what is read-only into its own directories, and nothing else", () => {
    const entry = { writable: true, source: null, mode: null, size: null, optional: false, isDirectory: null };
    const view: FilesystemView = [
      { ...entry, path: "/", kind: "private" },
      { ...entry, path: "/etc", kind: "flatpak" },
      { ...entry, path: "/tmp", kind: "directory" },
      { ...entry, path: "/usr", kind: "application", source: "/usr", writable: false },
    ];
    const portal = new SandboxReport("flatpak-portal", [], view);
    const isAllowed = (...lines: readonly string[]): boolean => {
      const { promised, seen } = mountDifferences(portal, new Map([["mounts", ["/ rw", "/usr ro", ...lines].join("\n")]]));
      return JSON.stringify(seen) === JSON.stringify(promised);
    };
    assert.ok(isAllowed());
    for (const line of ["/etc/machine-id ro", "/etc rw", "/tmp rw"]) assert.ok(isAllowed(line), line);
    for (const line of ["/etc/x rw", "/tmp/x ro", "/tmp ro", "/home ro", "/app ro"]) assert.ok(!isAllowed(line), line);
  });
});
