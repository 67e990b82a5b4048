import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, execPath, getuid } from "node:process";
import type { LimitScope } from "../../src/node/limit-scope.js";
import { childrenOf } from "../../src/node/host-processes.js";
import { expectedLimitScope, openLimitScope } from "../../src/node/limit-scope.js";
import type { ProcessEnd } from "../../src/node/scoped-end.js";
import { scopedEnd } from "../../src/node/scoped-end.js";

const fixtures = join(import.meta.dirname, "fixtures");

const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** What keeps the user manager from running here in a place of its own; null if nothing does. */
function missingForUserManager(): string | null {
  if (getuid?.() !== 0) return "only root can start a user manager beside the system's own";
  if (!existsSync("/usr/lib/systemd/systemd")) return "systemd is not installed";
  if (spawnSync("busctl", ["--version"]).status !== 0) return "busctl is not installed";
  const mount = spawnSync("unshare", ["--mount", "mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], { encoding: "utf8" });
  return mount.status === 0 ? null : `cgroups cannot be had: ${mount.stderr.trim()}`;
}

describe("a sandbox with limits where systemd's user manager runs", () => {
  let seen: Record<string, unknown>;
  before(function () {
    this.timeout(60_000);
    const missing = missingForUserManager();
    if (missing !== null) {
      if (env["CI"] === "true" && getuid?.() === 0) throw new Error(`There is no user manager: ${missing}`);
      console.warn(`      skipped: ${missing}`);
      this.skip();
    }
    const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-manager-"));
    try {
      const program = [execPath, "--import", "tsx", join(fixtures, "print-scopes.ts")];
      const { stdout, stderr, status } = spawnSync(
        "unshare",
        [...namespaces, join(fixtures, "with-user-manager"), directory, ...program],
        { encoding: "utf8", timeout: 50_000 },
      );
      assert.equal(status, 0, stderr);
      seen = JSON.parse(stdout) as typeof seen;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("is put into a scope of its own with those limits, which ends with it", () => {
    const { name, ...rest } = seen["single"] as Record<string, unknown>;
    assert.match(String(name), /^gio-sandbox-\d+-1-\d+\.scope$/);
    assert.deepEqual(rest, {
      isSame: true,
      memoryMax: String((64 + 2) * 1024 * 1024),
      swapMax: "0",
      tasksMax: String(20 + 18),
      isLeft: false,
    });
  });

  it("shares the scope among its processes if it is an open one", () => {
    assert.equal(seen["isShared"], true);
  });

  it("is put into none without such a limit", () => {
    assert.equal(seen["isFreeInScope"], false);
  });

  it("ends a bomb, whether the kernel's cgroup can hold memory or init has to", () => {
    assert.deepEqual([seen["limit"], seen["isBombLeft"]], ["memory", false]);
  });
});

describe("a sandbox with limits where there is no user manager", () => {
  const ended = new Promise<void>(() => undefined);
  let runtime: string | undefined;
  let directory: string;
  beforeEach(() => {
    runtime = env["XDG_RUNTIME_DIR"];
    directory = mkdtempSync(join(tmpdir(), "gio-sandbox-runtime-"));
    env["XDG_RUNTIME_DIR"] = directory;
  });
  afterEach(() => {
    if (runtime === undefined) delete env["XDG_RUNTIME_DIR"];
    else env["XDG_RUNTIME_DIR"] = runtime;
    rmSync(directory, { recursive: true });
  });

  it("has no scope, and nothing is waited for", async () => {
    const start = performance.now();
    assert.equal(await openLimitScope({ findInits: () => childrenOf(process.pid), ended }, new Map([["memory", 1]])), null);
    assert.ok(performance.now() - start < 100);
    assert.equal(expectedLimitScope(), null);
  });

  it("has none either if the manager cannot be reached, or the sandbox is no process of ours", async () => {
    mkdirSync(join(directory, "systemd/private"), { recursive: true });
    const limits = new Map([["memory", 1]] as const);
    assert.equal(await openLimitScope({ findInits: null, ended }, limits), null);
    const { DBUS_SESSION_BUS_ADDRESS: address } = env;
    env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${directory}/bus`;
    try {
      assert.equal(await openLimitScope({ findInits: () => childrenOf(process.pid), ended }, limits), null);
    } finally {
      if (address === undefined) delete env["DBUS_SESSION_BUS_ADDRESS"];
      else env["DBUS_SESSION_BUS_ADDRESS"] = address;
    }
  });
});

describe("the end of a process in a scope", () => {
  const usage = null;
  const end: ProcessEnd = { status: 9, timedOut: false, exceeded: null, isTmpfsFull: false, usage };
  const scope = (killed: boolean): LimitScope => ({
    holds: { memory: true, processes: true },
    wasOutOfMemory: () => Promise.resolve(killed),
  });

  it("was for memory if the kernel killed for that in there", async () => {
    assert.deepEqual(await scopedEnd(Promise.resolve(end), scope(true)), { ...end, exceeded: "memory" });
    assert.deepEqual(await scopedEnd(Promise.reject(new Error("lost")), scope(true)), { ...end, exceeded: "memory" });
  });

  it("is what it is otherwise", async () => {
    assert.equal(await scopedEnd(Promise.resolve(end), scope(false)), end);
    assert.equal(await scopedEnd(Promise.resolve(end), null), end);
    await assert.rejects(scopedEnd(Promise.reject(new Error("lost")), scope(false)), /lost/);
    for (const other of [{ ...end, status: 0 }, { ...end, timedOut: true }, { ...end, exceeded: "processes" as const }]) {
      assert.equal(await scopedEnd(Promise.resolve(other), scope(true)), other);
    }
  });
});
