/** An init that makes the root directory of its sandbox. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getegid, geteuid } from "node:process";
import type { FurnishOrder, RootOperation } from "../../src/init/encode.js";
import { encodeFurnish, encodeHello, encodeLaunch, encodeMake } from "../../src/init/encode.js";
import { BindFlag, HelloFlag, Operation, Origin, Refusal, Step } from "../../src/init/protocol.js";
import { barest, smallest } from "../init/samples.js";
import { fixture, temporaryDirectory } from "../node/gsubprocess/children.js";
import type { InitCommand, InitSocket } from "./running-init.js";
import { canStart, hasProgram, init, needs, Output, RunningInit, sanitizedInit } from "./running-init.js";

const rights = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETFCAP"].flatMap((right) => ["--cap-add", right]);

/** What `HelloFlag.FURNISH` needs, around what is there to make a root directory of. */
function bare(...sources: readonly string[]): InitCommand {
  return [
    ...["bwrap", "--unshare-all", "--unshare-user", "--as-pid-1", "--uid", "0", "--gid", "0", "--cap-drop", "ALL", ...rights],
    ...["--proc", "/proc", "--dev-bind", "/dev", "/dev", "--ro-bind", "/usr", "/usr"],
    ...["--ro-bind-try", "/lib64", "/lib64", "--ro-bind", "/lib", "/lib", "--ro-bind-try", "/bin", "/bin"],
    // so that the program, and what is built with it, can be started by its path
    ...["--ro-bind", fixtures, fixtures, "--ro-bind", join(init, ".."), join(init, ".."), "--ro-bind-try", join(sanitizedInit, ".."), join(sanitizedInit, "..")],
    ...[...sources, "--"],
  ];
}

const fixtures = join(fixture("testprog"), "..");

/** The least that a shell runs in. */
const least: readonly RootOperation[] = [
  { operation: Operation.BIND, mode: BindFlag.READ_ONLY, path: "/usr", content: "/usr" },
  ...["bin", "lib", "lib64", "sbin"].map((name) => ({ operation: Operation.SYMLINK, path: `/${name}`, content: `usr/${name}` })),
  { operation: Operation.PROC, path: "/proc" },
  { operation: Operation.BIND, mode: BindFlag.DEVICES, path: "/dev/null", content: "/dev/null" },
];

const order: FurnishOrder = {
  userMap: `${geteuid?.() ?? 0} 0 1`,
  groupMap: `${getegid?.() ?? 0} 0 1`,
  filters: [],
  operations: least,
};

async function outputOf(running: InitSocket, script: string): Promise<string> {
  using output = new Output();
  const descriptors = [1, 2].map((target) => ({ target, origin: Origin.RECEIVED, source: 0 }));
  await running.launch({ argv: ["/bin/sh", "-c", script], environment: ["PATH=/usr/bin:/usr/sbin"], descriptors }, [output.end]);
  return await output.all();
}

for (const [name, program] of [
  ["gio-sandbox-init that makes a root directory", init],
  ["gio-sandbox-init that makes a root directory, with sanitizers", sanitizedInit],
] as const) {
  describe(name, function () {
    before(function () {
      needs(this, hasProgram(program), program);
      needs(this, canStart(bare()), "a bwrap that can make namespaces");
    });
    describeFurnishing([program]);
  });
}

function describeFurnishing(command: InitCommand): void {
  /** Starts one, and has it make a root directory. */
  async function furnished(operations: readonly RootOperation[], sources: readonly string[] = []): Promise<RunningInit> {
    const running = RunningInit.silent(command, { prefix: bare(...sources) });
    await running.send(encodeHello(HelloFlag.FURNISH));
    await running.send(encodeFurnish({ ...order, operations: [...least, ...operations] }));
    return running;
  }

  async function seenWith(operations: readonly RootOperation[], script: string, sources: readonly string[] = []): Promise<string> {
    await using running = await furnished(operations, sources);
    await running.expect("ready");
    return await outputOf(running, script);
  }

  it("says READY when it is made, not before", async () => {
    await using running = RunningInit.silent(command, { prefix: bare() });
    await running.send(encodeHello(HelloFlag.FURNISH));
    assert.equal(await running.soon(100), null);
    await running.send(encodeFurnish(order));
    await running.expect("ready");
  });

  it("has in it what is said, and nothing of the old one", async () => {
    assert.equal(await seenWith([], "cd /; ls -A / | sort; ls -A /dev"), "bin\ndev\nlib\nlib64\nproc\nsbin\nusr\nnull\n");
    assert.equal(await seenWith([], "cut -d' ' -f5 /proc/self/mountinfo | sort"), "/\n/dev/null\n/proc\n/usr\n");
  });

  it("makes directories, links and files, and what is above them", async () => {
    const operations: RootOperation[] = [
      { operation: Operation.DIRECTORY, mode: 0o1777, path: "/a/b/sticky" },
      { operation: Operation.DIRECTORY, mode: 0o700, path: "/a" },
      { operation: Operation.SYMLINK, path: "/x/y/link", content: "../../a/b" },
      { operation: Operation.FILE, mode: 0o640, path: "/e/file", content: new TextEncoder().encode("some\0bytes\n") },
      { operation: Operation.FILE, mode: 0o444, path: "/e/empty", content: new Uint8Array(0) },
    ];
    const script = "stat -c '%a %F %n' /a /a/b /a/b/sticky /x/y /e/file /e/empty; readlink /x/y/link; od -An -c /e/file";
    const expected = ["755 directory /a", "755 directory /a/b", "1777 directory /a/b/sticky", "755 directory /x/y"];
    const rest = ["640 regular file /e/file", "444 regular empty file /e/empty", "../../a/b", "   s   o   m   e  \\0   b   y   t   e   s  \\n"];
    assert.equal(await seenWith(operations, script), `${[...expected, ...rest].join("\n")}\n`);
  });

  it("mounts files and directories, for reading or writing, with what is mounted below, and without device nodes", async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "file"), "text\n");
    mkdirSync(join(directory.path, "below"));
    const sources = ["--dev-bind", directory.path, "/src", "--dev-bind", "/dev", "/src/below"];
    const operations: RootOperation[] = [
      { operation: Operation.BIND, path: "/rw", content: "/src" },
      { operation: Operation.BIND, mode: BindFlag.READ_ONLY, path: "/ro", content: "/src" },
      { operation: Operation.BIND, mode: BindFlag.DEVICES, path: "/dv", content: "/src" },
      { operation: Operation.BIND, path: "/deep/file", content: "/src/file" },
      { operation: Operation.BIND, mode: BindFlag.OPTIONAL, path: "/no", content: "/src/missing" },
    ];
    const script = [
      ...["cat /deep/file /ro/file", "echo 1 >/rw/new && echo written", "echo 2 >/ro/other; echo 3 >/ro/below/null", "ls -d /no"],
      ...["cat /rw/below/null && echo opened; cat /dv/below/null && echo opened", "grep -c nosuid /proc/self/mountinfo"],
    ];
    const seen = await seenWith(operations, script.join("; "), sources);
    const lines = seen.replaceAll(/^.*: (?:\d+: )?(?:cannot create |cannot access )?/gm, "").trim().split("\n");
    assert.deepEqual(lines.slice(0, 3), ["text", "text", "written"], seen);
    assert.match(seen, /\/ro\/other: Read-only file system/);
    assert.match(seen, /'\/no': No such file or directory/);
    assert.match(seen, /\/rw\/below\/null: Permission denied\nopened\n/);
    assert.deepEqual(readdirSync(directory.path).sort(), ["below", "file", "new"]);
  });

  it("mounts file systems of its own, covers what is said of /proc, and makes mounts read-only", async () => {
    const operations: RootOperation[] = [
      { operation: Operation.TMPFS, path: "/tmp", content: "mode=1777,size=65536" },
      { operation: Operation.DIRECTORY, mode: 0o755, path: "/dev/pts" },
      { operation: Operation.DEVPTS, path: "/dev/pts" },
      { operation: Operation.COVER, path: "/proc/sys" },
      { operation: Operation.COVER, path: "/proc/there-is-no-such-thing" },
      { operation: Operation.READ_ONLY, path: "/" },
    ];
    const script = [
      ...["stat -c %a /tmp; stat -f -c %b /tmp; ls /dev/pts; echo >/tmp/x && echo well; echo >/x", "echo 1 >/proc/sys/kernel/core_pattern"],
      ...["echo $$; grep -c . /proc/self/uid_map"],
    ];
    const seen = await seenWith(operations, script.join("; "));
    assert.match(seen, /^1777\n16\nptmx\nwell\n/);
    assert.match(seen, /\/x: Read-only file system/);
    assert.match(seen, /core_pattern: (?:Read-only file system|Permission denied)/);
    assert.match(seen, /\n2\n1\n$/);
  });

  it("leaves no right, no way to one, and no other user namespace", async () => {
    const seen = await seenWith([], "grep -E '^(Cap|NoNewPrivs)' /proc/self/status /proc/1/status; unshare --user true; umount /usr; chroot /usr true");
    assert.equal([...seen.matchAll(/Cap\w+:\t0{16}$/gm)].length, 10, seen);
    assert.equal([...seen.matchAll(/NoNewPrivs:\t1$/gm)].length, 2, seen);
    assert.match(seen, /unshare failed: No space left on device/);
    assert.match(seen, /umount: .*(?:permission denied|must be superuser|not permitted)/i);
    assert.match(seen, /chroot: .*not permitted/i);
  });

  it("lets no link lead out of the new root directory, however hostile what is mounted is", async () => {
    using directory = temporaryDirectory();
    for (const [name, target] of Object.entries({ absolute: "/outside", relative: "../../../../../outside", root: "/" })) {
      symlinkSync(target, join(directory.path, name));
    }
    using outside = temporaryDirectory();
    const sources = ["--bind", directory.path, "/src", "--bind", outside.path, "/outside"];
    const operations: RootOperation[] = [
      { operation: Operation.BIND, path: "/granted", content: "/src" },
      { operation: Operation.DIRECTORY, mode: 0o755, path: "/outside" },
      { operation: Operation.FILE, mode: 0o644, path: "/granted/absolute/one", content: new Uint8Array(1) },
      { operation: Operation.DIRECTORY, mode: 0o755, path: "/granted/relative/two/three" },
      { operation: Operation.TMPFS, path: "/granted/root/four", content: "mode=0755" },
      { operation: Operation.BIND, path: "/granted/absolute/five", content: "/usr" },
    ];
    const seen = await seenWith(operations, "ls -A /outside; ls -d /outside/two/three /four /outside/five/bin", sources);
    assert.equal(seen, "five\none\ntwo\n/four\n/outside/five/bin\n/outside/two/three\n");
    assert.deepEqual(readdirSync(outside.path), []);
    // what does not lead anywhere inside is not made outside either
    await using running = await furnished([...operations.slice(0, 1), { operation: Operation.FILE, mode: 0o644, path: "/granted/absolute/x", content: new Uint8Array(1) }], sources);
    await running.expect("failed");
    assert.deepEqual(readdirSync(outside.path), []);
  });

  it("says which operation failed, with what error, and ends", async () => {
    const cases: readonly (readonly [RootOperation, errno: number])[] = [
      [{ operation: Operation.BIND, path: "/x", content: "/there/is/no/such/thing" }, 2],
      [{ operation: Operation.BIND, path: "/usr/new/place", content: "/usr" }, 30],
      [{ operation: Operation.SYMLINK, path: "/bin", content: "again" }, 17],
      [{ operation: Operation.FILE, mode: 0o644, path: "/dev/null", content: new Uint8Array(1) }, 17],
      [{ operation: Operation.TMPFS, path: "/tmp", content: "size=nonsense" }, 22],
      [{ operation: Operation.READ_ONLY, path: "/no/such/path" }, 2],
      [{ operation: Operation.DIRECTORY, mode: 0o755, path: `/${"long".repeat(100)}` }, 36],
    ];
    for (const [operation, errno] of cases) {
      await using running = await furnished([operation]);
      assert.deepEqual(await running.rest(), [{ type: "failed", process: 0, step: Step.FURNISH, errno, detail: least.length }]);
      assert.equal(await running.ended, 1);
    }
  });

  it("cannot be made without a /proc, nor without the rights", async () => {
    await using running = RunningInit.silent(command, { prefix: bare() });
    await running.send(encodeHello(HelloFlag.FURNISH));
    await running.send(encodeFurnish({ ...order, operations: least.slice(0, 1) }));
    assert.deepEqual(await running.rest(), [{ type: "failed", process: 0, step: Step.FURNISH, errno: 22, detail: 2 ** 32 - 1 }]);
    const without = bare().filter((word, index, all) => word !== "--cap-add" && all[index - 1] !== "--cap-add");
    await using other = RunningInit.silent(command, { prefix: without });
    await other.send(encodeHello(HelloFlag.FURNISH));
    await other.send(encodeFurnish(order));
    assert.deepEqual(await other.rest(), [{ type: "failed", process: 0, step: Step.FURNISH, errno: 1, detail: 2 ** 32 - 1 }]);
  });

  it("is made once, when it was announced, and before anything else", async () => {
    const cases: readonly (readonly [flags: number, ...frames: readonly Uint8Array[]])[] = [
      [0, encodeFurnish(order)],
      [HelloFlag.FURNISH, encodeLaunch(smallest)],
      [HelloFlag.FURNISH, encodeMake(barest)],
      [HelloFlag.FURNISH, encodeFurnish(order), encodeFurnish(order)],
    ];
    for (const [flags, ...frames] of cases) {
      await using running = RunningInit.silent(command, { prefix: bare() });
      await running.send(encodeHello(flags));
      for (const frame of frames) await running.send(frame);
      assert.deepEqual((await running.rest()).at(-1), { type: "refused", reason: Refusal.UNKNOWN_FRAME });
    }
  });
}
