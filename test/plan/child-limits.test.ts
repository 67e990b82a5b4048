import assert from "node:assert/strict";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import type { Limit } from "../../src/permissions/permission-set.js";
import { childLimits, isTmpfsWatched, limitsWithTimeout, Resource, sandboxWatch } from "../../src/plan/child-limits.js";
import { ownDirectories } from "../../src/plan/root-filesystem.js";

function permissions(limits: Partial<Record<Limit, number>>): SandboxPermissions {
  const all = new SandboxPermissions();
  for (const [limit, value] of Object.entries(limits)) all.setLimit(limit as Limit, value);
  return all;
}

const noDefaults = (limits: ReturnType<typeof childLimits>): unknown[] =>
  limits.filter(({ resource }) => resource !== Resource.NOFILE && resource !== Resource.CORE);

describe("the limits of a child", () => {
  it("are 1024 open files and no core dump at first", () => {
    assert.deepEqual(childLimits(permissions({}).snapshot()), [
      { resource: Resource.NOFILE, soft: 1024, hard: 1024 },
      { resource: Resource.CORE, soft: 1, hard: 1 },
    ]);
    assert.deepEqual(childLimits(permissions({ core: 0, "open-files": 7 }).snapshot()), [
      { resource: Resource.NOFILE, soft: 7, hard: 7 },
      { resource: Resource.CORE, soft: 1, hard: 1 },
    ]);
  });

  it("are Linux's own where there is one that does what the name says", () => {
    const limits = childLimits(permissions({ "address-space": 9, "file-size": 8 }).snapshot());
    assert.deepEqual(noDefaults(limits), [
      { resource: Resource.AS, soft: 9, hard: 9 },
      { resource: Resource.FSIZE, soft: 8, hard: 8 },
    ]);
  });

  it("leave a second between SIGXCPU and SIGKILL", () => {
    assert.deepEqual(noDefaults(childLimits(permissions({ "cpu-time": 3 }).snapshot())), [
      { resource: Resource.CPU, soft: 3, hard: 4 },
    ]);
  });

  it("are not Linux's for memory and processes: init watches those, and the kernel no sandbox by itself", () => {
    const set = permissions({ memory: 1000, processes: 5 }).snapshot();
    assert.deepEqual(noDefaults(childLimits(set)), []);
    assert.deepEqual(sandboxWatch(set, true), { memoryBytes: 1000, processes: 5, hasOwnIpc: true });
  });
});

describe("the watch of a sandbox", () => {
  it("is there only if one of its limits is", () => {
    assert.equal(sandboxWatch(permissions({ timeout: 5, tmpfs: 5, "cpu-time": 1 }).snapshot(), true), undefined);
    assert.deepEqual(sandboxWatch(permissions({ memory: 1 }).snapshot(), true), { memoryBytes: 1, processes: null, hasOwnIpc: true });
    assert.deepEqual(sandboxWatch(permissions({ processes: 1 }).snapshot(), true), { memoryBytes: null, processes: 1, hasOwnIpc: true });
  });

  it("does not count the host's shared memory", () => {
    assert.equal(sandboxWatch(permissions({ memory: 1 }).share("ipc").snapshot(), true)?.hasOwnIpc, false);
    assert.equal(sandboxWatch(permissions({ memory: 1 }).snapshot(), false)?.hasOwnIpc, false);
  });

  it("knows the private directories if they are memory that counts, or of a size that was asked for", () => {
    assert.deepEqual(
      [{}, { processes: 1 }, { memory: 1 }, { tmpfs: 1 }].map((limits) => isTmpfsWatched(permissions(limits).snapshot())),
      [false, false, true, true],
    );
  });

  it("leaves directories alone that are the host's", () => {
    const mount = (path: string) => ({ path, writable: true, device: 1n, inode: 1n });
    assert.deepEqual(ownDirectories(5, []), ["/dev/shm", "/tmp", "/home/user", "/run/user/5"]);
    assert.deepEqual(ownDirectories(5, [mount("/tmp"), mount("/home")]), ["/dev/shm", "/run/user/5"]);
    assert.deepEqual(ownDirectories(5, [mount("/tmp/below"), mount("/tm")]), ownDirectories(5, []));
    assert.deepEqual(ownDirectories(5, [mount("/dev/shm")]), ["/tmp", "/home/user", "/run/user/5"]);
  });
});

describe("the timeout that counts", () => {
  it("is the smaller one", () => {
    const timeout = (own: number | undefined, launchers: number | null): unknown =>
      limitsWithTimeout(permissions(own === undefined ? {} : { timeout: own }).snapshot().limits, launchers).get("timeout");
    assert.deepEqual(
      [timeout(undefined, null), timeout(5, null), timeout(undefined, 7), timeout(5, 7), timeout(7, 5)],
      [undefined, 5, 7, 5, 5],
    );
  });
});
