import assert from "node:assert/strict";
import type { Limit } from "../../src/permissions/permission-set.js";
import type { LimitFacts } from "../../src/plan/limit-mechanisms.js";
import { enforcedLimits } from "../../src/plan/limit-mechanisms.js";

const facts: LimitFacts = { uid: 1000, kernelRelease: "6.1.0-18-amd64", scope: null };

function mechanisms(limit: Limit, more: Partial<LimitFacts> = {}): unknown {
  const [found] = enforcedLimits({ limits: new Map([[limit, 5]]) }, { ...facts, ...more }).filter((entry) => entry.limit === limit);
  return found?.mechanisms;
}

describe("how a limit holds", () => {
  it("is said of those that nobody asked for, too", () => {
    const defaults = enforcedLimits({ limits: new Map() }, facts);
    assert.deepEqual(defaults.map(({ limit, value, isDefault }) => [limit, value, isDefault]), [
      ["open-files", 1024, true],
      ["core", 0, true],
      ["tmpfs", 268435456, true],
    ]);
    const [openFiles] = enforcedLimits({ limits: new Map([["open-files", 9]]) }, facts);
    assert.deepEqual([openFiles?.value, openFiles?.isDefault], [9, false]);
  });

  it("is by init's watch for memory, and by a cgroup where there is one that can", () => {
    assert.deepEqual(mechanisms("memory"), ["watch"]);
    assert.deepEqual(mechanisms("memory", { scope: { memory: true, processes: false } }), ["scope", "watch"]);
    assert.deepEqual(mechanisms("memory", { scope: { memory: false, processes: true } }), ["watch"]);
  });

  it("is by the kernel too for processes of an ordinary user, since Linux 5.14", () => {
    for (const release of ["5.14.0", "5.15.0-1-generic", "6.1", "6.18.44-x", "10.0.1"]) {
      assert.deepEqual(mechanisms("processes", { kernelRelease: release }), ["watch", "rlimit"], release);
      assert.deepEqual(mechanisms("processes", { kernelRelease: release, uid: 0 }), ["watch"], release);
    }
    for (const release of ["5.13.19", "5.4.0", "4.19.0-27", "", "unknown"]) {
      assert.deepEqual(mechanisms("processes", { kernelRelease: release }), ["watch"], release);
    }
    const scope = { memory: true, processes: true };
    assert.deepEqual(mechanisms("processes", { scope }), ["scope", "watch", "rlimit"]);
  });

  it("is said for every limit, with what the child will see", () => {
    const limits = ["memory", "address-space", "cpu-time", "file-size", "open-files", "processes", "core", "tmpfs", "timeout"] as const;
    const all = enforcedLimits({ limits: new Map(limits.map((limit) => [limit, 1])) }, facts);
    assert.equal(all.length, limits.length);
    for (const { mechanisms: some, observed } of all) assert.ok(some.length > 0 && observed.length > 10);
  });
});
