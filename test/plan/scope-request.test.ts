import assert from "node:assert/strict";
import type { Limit } from "../../src/permissions/permission-set.js";
import { cgroupPath, isScopeUseful, outOfMemoryKills, scopeProperties } from "../../src/plan/scope-request.js";

const limits = (...entries: readonly (readonly [Limit, number])[]): ReadonlyMap<Limit, number> => new Map(entries);

describe("the scope of a sandbox", () => {
  it("is of use for memory and processes only", () => {
    assert.equal(isScopeUseful(limits(["timeout", 1], ["tmpfs", 1], ["cpu-time", 1])), false);
    assert.equal(isScopeUseful(limits(["memory", 1])), true);
    assert.equal(isScopeUseful(limits(["processes", 1])), true);
  });

  it("has init in it, and leaves some room for init itself, so that it is init which tells", () => {
    const properties = new Map(scopeProperties(limits(["memory", 1000], ["processes", 10]), 77).map(([name, ...rest]) => [name, rest]));
    assert.deepEqual(properties.get("PIDs"), ["au", [77]]);
    assert.deepEqual(properties.get("AddRef"), ["b", true]);
    assert.deepEqual(properties.get("MemoryMax"), ["t", 1000n + 2n * 1024n * 1024n]);
    assert.deepEqual(properties.get("MemorySwapMax"), ["t", 0n]);
    assert.deepEqual(properties.get("TasksMax"), ["t", 28n]);
  });

  it("says nothing of what is not limited", () => {
    const names = scopeProperties(limits(["processes", 1]), 2).map(([name]) => name);
    assert.deepEqual(names, ["Description", "PIDs", "AddRef", "CollectMode", "TasksMax"]);
  });
});

describe("what the kernel shows of a cgroup", () => {
  it("is its path in the second version's hierarchy, if the process is in one", () => {
    assert.equal(cgroupPath("0::/user.slice/a b.scope\n"), "/user.slice/a b.scope");
    assert.equal(cgroupPath("12:pids:/x\n1:name=systemd:/y\n0::/z.scope\n"), "/z.scope");
    assert.equal(cgroupPath("0::/\n"), "/");
    assert.equal(cgroupPath("4:memory:/x\n"), null);
    assert.equal(cgroupPath(""), null);
  });

  it("is how often it has killed in there", () => {
    assert.equal(outOfMemoryKills("low 0\nhigh 0\nmax 7\noom 2\noom_kill 3\noom_group_kill 1\n"), 3);
    assert.equal(outOfMemoryKills("low 0\nhigh 0\n"), 0);
  });
});
