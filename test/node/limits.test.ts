import assert from "node:assert/strict";
import type { Limit } from "../../src/permissions/permission-set.js";
import { ErrorDomain, SandboxError, SandboxSubprocessLauncher, SpawnError, SubprocessFlags } from "../../src/node/index.js";
import type { Explosion } from "./bombs.js";
import { explode } from "./bombs.js";
import { childProcesses, fixture, fixtureLauncher, fixturePermissions, until } from "./gsubprocess/children.js";

const MEBIBYTE = 1024 * 1024;
const memory = 64 * MEBIBYTE;

/** How late a timer of a responsive program may be on a machine that has other work too, in milliseconds. */
const RESPONSIVE = 2000;

function assertExceeded({ error, ...rest }: Explosion, limit: Limit): void {
  assert.ok(error !== null, "it was successful");
  assert.equal(error.limit, limit, error.message);
  const code = limit === "timeout" ? SandboxError.TIMED_OUT : SandboxError.LIMIT_EXCEEDED;
  assert.ok(error.matches(ErrorDomain.SANDBOX, code), error.message);
  assert.ok(error.usage !== null && error.usage.wallMicroseconds > 0);
  assert.ok(limit === "timeout" || error.message.includes(`“${limit}”`), error.message);
  assertHarmless(rest);
}

function assertHarmless({ delay, isLeft }: Omit<Explosion, "error">): void {
  assert.ok(delay < RESPONSIVE, `the host was not responsive for ${delay} ms`);
  assert.equal(isLeft, false);
}

describe("a bomb", () => {
  for (const [what, ...argv] of [
    ["that allocates without end", "allocate"],
    ["of many processes that allocate a little each", "allocate-together"],
    ["that fills memfds and maps nothing", "memory-files"],
    ["that fills System V's shared memory and lets go of it", "shared-memory"],
    ["that makes empty files in a private directory", "make-files"],
    ["that fills a private directory which may be larger", "fill-file", "/tmp/x"],
  ] as const) {
    it(`${what} ends at the limit of memory`, async () => {
      const explosion = await explode(argv, { memory });
      assertExceeded(explosion, "memory");
      // what others on this machine do meanwhile is in this figure too
      assert.ok(explosion.taken < 8 * memory, `${explosion.taken} bytes were taken`);
    });
  }

  it("of processes without number ends at the limit of memory, too", async () => {
    assertExceeded(await explode(["fork"], { memory: memory / 2 }), "memory");
  });

  for (const [what, name] of [
    ["that forks without end", "fork"],
    ["that forks without end into sessions of their own, and without parents", "fork-away"],
    ["that forks without end from all of its threads", "fork-in-threads"],
    ["that starts threads without end", "threads"],
  ] as const) {
    it(`${what} ends at the limit of processes`, async () => {
      assertExceeded(await explode([name], { processes: 50 }), "processes");
    });
  }

  it("that fills a private directory fails at its size, and the error says so", async () => {
    const explosion = await explode(["fill-file", "/tmp/x"], { tmpfs: 4 * MEBIBYTE });
    assertExceeded(explosion, "tmpfs");
    assert.ok(explosion.taken < 512 * MEBIBYTE);
  });

  it("that writes to a granted file ends at the limit of the file's size", async () => {
    const explosion = await explode(["fill-file", "FILE"], { "file-size": 4 * MEBIBYTE });
    assertExceeded(explosion, "file-size");
    assert.equal(explosion.fileSize, 4 * MEBIBYTE);
  });

  it("that burns CPU ends at the limit of its time", async () => {
    const explosion = await explode(["burn"], { "cpu-time": 1 });
    assertExceeded(explosion, "cpu-time");
    assert.ok((explosion.error?.usage?.userMicroseconds ?? Infinity) < 2e6);
  });

  it("that burns CPU and ignores SIGXCPU ends a second later, and the error says the same", async () => {
    assertExceeded(await explode(["burn-stubbornly"], { "cpu-time": 1 }), "cpu-time");
  });

  it("that opens files without end gets an error at the limit of open files", async () => {
    const { error, stdout, ...rest } = await explode(["open"], { "open-files": 64 });
    assert.equal(stdout, "64 EMFILE\n");
    assert.ok(error?.matches(ErrorDomain.SPAWN_EXIT, 1));
    assertHarmless({ stdout, ...rest });
  });

  it("whose processes flee from it ends with all of them at its timeout", async () => {
    assertExceeded(await explode(["flee"], {}, 300), "timeout");
  });
});

describe("the timeout", () => {
  it("is the launcher's or that of the permissions, whichever is less", async () => {
    for (const [launchers, permissions] of [[300, 60_000], [60_000, 300], [null, 300]] as const) {
      const explosion = await explode(["flee"], { timeout: permissions }, launchers);
      assertExceeded(explosion, "timeout");
      assert.match(explosion.error?.message ?? "", /300 ms/);
      assert.ok((explosion.error?.usage?.wallMicroseconds ?? 0) >= 300_000);
    }
  });
});

describe("a child that keeps within its limits", () => {
  it("may share what it has with the children that it forks: it counts once", async () => {
    const { error } = await explode(["share-memory"], { memory, processes: 20 });
    assert.equal(error, null);
  });

  it("may lend it to a child, as vfork() does until another program is executed: it counts once", async () => {
    const { error } = await explode(["lend-memory"], { memory });
    assert.equal(error, null);
  });

  it("runs as ever with all limits at once", async () => {
    const permissions = fixturePermissions();
    for (const [limit, value] of [["memory", memory], ["processes", 8], ["cpu-time", 5], ["file-size", MEBIBYTE],
      ["open-files", 32], ["tmpfs", MEBIBYTE], ["timeout", 10_000]] as const) permissions.setLimit(limit, value);
    const launcher = fixtureLauncher(SubprocessFlags.STDOUT_PIPE, { permissions });
    const child = await launcher.spawnvAsync(["/bin/sh", "-c", "echo $(echo a; echo b | cat) >/tmp/x && cat /tmp/x"]);
    assert.deepEqual(await child.communicateUtf8Async(null), ["a b\n", null]);
    await child.waitCheckAsync();
  });

  it("of memory for what sanitizers and just-in-time compilers reserve without use", async () => {
    const permissions = fixturePermissions().setLimit("memory", 256 * MEBIBYTE).addFilesystem(`${process.execPath}:ro`);
    const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
    const child = await launcher.spawnvAsync([process.execPath, "-e", "console.log(1)"]);
    assert.deepEqual(await child.communicateUtf8Async(null), ["1\n", null]);
  });

  it("and is ended by a signal of its own is no case of a limit", async () => {
    for (const [signal, limits] of [["24", {}], ["25", {}], ["9", { memory, "cpu-time": 5, processes: 9 }]] as const) {
      const { error } = await explode(["raise", signal], limits);
      assert.ok(error?.matches(ErrorDomain.SPAWN, SpawnError.FAILED), error?.message);
      assert.deepEqual([error?.limit, error?.usage], [null, null]);
    }
  });

  it("and fails while there is room in its private directories is no case of a limit either", async () => {
    const { error } = await explode(["fill-file", "/nowhere/x"], { tmpfs: MEBIBYTE });
    assert.ok(error?.matches(ErrorDomain.SPAWN_EXIT, 2));
  });
});

describe("a limit that was passed", () => {
  it("is no error for who only waits, as in GIO", async () => {
    const launcher = fixtureLauncher(0, { permissions: fixturePermissions().setLimit("memory", memory), timeout: 12_000 });
    const child = await launcher.spawnvAsync([fixture("bombs"), "allocate"]);
    assert.equal(await child.waitAsync(), true);
    assert.equal(child.getTermSig(), 9);
    assert.ok((child.getResourceUsage()?.maximumResidentKibibytes ?? 0) > 32 * 1024);
  });

  it("is one for who communicates", async () => {
    const permissions = fixturePermissions().setLimit("processes", 20);
    const launcher = fixtureLauncher(SubprocessFlags.STDOUT_PIPE, { permissions, timeout: 12_000 });
    const child = await launcher.spawnvAsync([fixture("bombs"), "fork"]);
    const isSo = { domain: ErrorDomain.SANDBOX, code: SandboxError.LIMIT_EXCEEDED, limit: "processes" };
    await assert.rejects(child.communicateUtf8Async(null), isSo);
  });

  it("in an open sandbox ends all that is in it, and the sandbox can be used again", async () => {
    const permissions = fixturePermissions().setLimit("memory", memory);
    const launcher = fixtureLauncher(0, { permissions });
    await using sandbox = await launcher.openSandboxAsync();
    launcher.sandbox = sandbox;
    const other = await launcher.spawnvAsync(["/bin/sleep", "60"]);
    const bomb = await launcher.spawnvAsync([fixture("bombs"), "allocate"]);
    for (const child of [bomb, other]) await assert.rejects(child.waitCheckAsync(), { limit: "memory" });
    const next = await launcher.spawnvAsync(["/bin/true"]);
    await next.waitCheckAsync();
  });

  it("of memory in an open sandbox is told by an event, once each time, and no other end is", async () => {
    const permissions = fixturePermissions().setLimit("memory", memory);
    const launcher = fixtureLauncher(0, { permissions });
    await using sandbox = await launcher.openSandboxAsync();
    launcher.sandbox = sandbox;
    const events: string[] = [];
    sandbox.on("outOfMemory", () => events.push("out of memory"));
    const end = async (...argv: readonly string[]): Promise<void> => {
      const child = await launcher.spawnvAsync(argv);
      await child.waitAsync();
      events.push(argv.slice(1).join(" "));
    };
    await end("/bin/sh", "-c", "kill -9 $$");
    await Promise.all([end("/bin/sleep", "60"), end(fixture("bombs"), "allocate")]);
    await end(fixture("bombs"), "allocate");
    const told = events.map((event) => (event === "60" ? "allocate" : event));
    assert.deepEqual(told, ["-c kill -9 $$", "out of memory", "allocate", "allocate", "out of memory", "allocate"]);
  });
});

describe("after all bombs", () => {
  it("no process is left", async () => {
    await until(() => childProcesses().length === 0);
  });
});
