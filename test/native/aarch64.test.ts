import assert from "node:assert/strict";
import { arch } from "node:process";
import { spawnSync } from "node:child_process";
import type { LaunchOrder } from "../../src/init/encode.js";
import { encodeClose, encodeSignal } from "../../src/init/encode.js";
import { HelloFlag, Origin, Refusal, SignalScope, Step } from "../../src/init/protocol.js";
import { fixture } from "../node/gsubprocess/children.js";
import { aarch64Init, canStart, hasProgram, inBubblewrap, needs, Output, RunningInit } from "./running-init.js";

const testprog = fixture("testprog");
const ENOENT = 2;
const EBADF = 9;
const SIGTERM = 15;

/** On x86_64 the emulator is the first process; what the init starts is this machine's own. */
const command = arch === "arm64" ? [aarch64Init] : ["qemu-aarch64", aarch64Init];

function hasEmulator(): boolean {
  return arch === "arm64" || spawnSync("qemu-aarch64", ["--version"], { stdio: "ignore" }).status === 0;
}

describe("gio-sandbox-init for aarch64", function () {
  // the emulator translates as it goes
  this.timeout(60000);
  const stdout = { target: 1, origin: Origin.RECEIVED, source: 0 };

  before(function () {
    needs(this, hasProgram(aarch64Init), "gcc-aarch64-linux-gnu, to build it with");
    needs(this, hasEmulator(), "qemu-aarch64");
    needs(this, canStart(inBubblewrap), "a bwrap that can make a pid namespace");
  });

  const greeted = (flags = 0): Promise<RunningInit> => RunningInit.greeted(command, flags);

  it("tells exit 137 from SIGKILL", async () => {
    await using running = await greeted();
    assert.equal((await running.run({ argv: [testprog, "exit", "137"] })).status, 137 << 8);
    assert.equal((await running.run({ argv: [testprog, "kill-self", "9"] })).status, 9);
  });

  it("reports what cannot be executed, or not set up", async () => {
    await using running = await greeted();
    const failed = async (parts: Partial<LaunchOrder>): Promise<readonly number[]> => {
      const { step, errno, detail } = await running.fail({ argv: [testprog, "noop"], ...parts });
      return [step, errno, detail];
    };
    assert.deepEqual(await failed({ argv: ["/nowhere/program"] }), [Step.EXEC, ENOENT, 0]);
    assert.deepEqual(await failed({ argv: ["program"], searchPath: "/nowhere:/neither" }), [Step.EXEC, ENOENT, 0]);
    assert.deepEqual(await failed({ directory: "/nowhere" }), [Step.DIRECTORY, ENOENT, 0]);
    assert.deepEqual(await failed({ descriptors: [stdout] }), [Step.DESCRIPTOR, EBADF, 0]);
    assert.deepEqual(await failed({ identities: [{ path: "/nowhere", device: 1n, inode: 1n }] }), [Step.IDENTITY, ENOENT, 0]);
    assert.deepEqual(await failed({ identities: [{ path: "/", device: 1n, inode: 1n }] }), [Step.IDENTITY, 0, 0]);
    assert.equal((await running.run({ argv: [testprog, "exit", "3"] })).status, 3 << 8);
  });

  it("gives the program its arguments, environment, directory and descriptors", async () => {
    await using running = await greeted();
    using output = new Output();
    const script = 'echo "$0" "$A" "$PWD"; echo three >&7; readlink /proc/self/fd/0';
    const exit = await running.run(
      {
        argv: ["sh", "-c", script, "argument"],
        searchPath: "/nowhere:/bin",
        environment: ["A=variable"],
        directory: "/usr",
        descriptors: [stdout, { ...stdout, target: 7 }],
      },
      [output.end],
    );
    assert.equal(exit.status, 0);
    assert.equal(await output.all(), "argument variable /usr\nthree\n/dev/null\n");
  });

  it("gives inherited descriptors to the first process, which can change places", async () => {
    using one = new Output();
    using other = new Output();
    await using running = await RunningInit.greeted(command, 0, { inherited: [one.end, other.end] });
    await running.launch({
      argv: ["/bin/sh", "-c", "echo one >&5; echo other >&4"],
      descriptors: [
        { target: 5, origin: Origin.INHERITED, source: 4 },
        { target: 4, origin: Origin.INHERITED, source: 5 },
      ],
    });
    assert.equal(await one.all(), "one\n");
    assert.equal(await other.all(), "other\n");
  });

  it("passes signals on, keeps to a timeout, and runs processes at once", async () => {
    await using running = await greeted();
    for (const process of [1, 2]) await running.launch({ process, argv: [testprog, "sleep-forever"] });
    await running.launch({ process: 3, argv: [testprog, "sleep-forever"], timeoutMilliseconds: 500 });
    await running.send(encodeSignal(1, SIGTERM, SignalScope.GROUP));
    await running.send(encodeSignal(2, SIGTERM, SignalScope.TREE));
    const ends = new Map<number, readonly [number, boolean]>();
    while (ends.size < 3) {
      const event = await running.next();
      assert.ok(event !== "end" && event.type !== "failed");
      if (event.type === "exited") ends.set(event.process, [event.status, event.timedOut]);
    }
    assert.deepEqual([...ends].sort(), [[1, [SIGTERM, false]], [2, [SIGTERM, false]], [3, [9, true]]]);
    await running.expect("empty");
  });

  it("exits when a single-use sandbox is empty, when told to, and when its launcher is gone", async () => {
    const single = await greeted(HelloFlag.SINGLE_USE);
    await single.run({ argv: [testprog, "noop"] });
    assert.equal(await single.ended, 0);
    const endings: readonly ((running: RunningInit) => unknown)[] = [
      (running) => running.send(encodeClose()),
      (running) => running.close(),
    ];
    for (const end of endings) {
      const running = await greeted();
      await running.launch({ argv: [testprog, "sleep-forever"] });
      await running.expect("started");
      await end(running);
      assert.equal(await running.ended, 0);
    }
  });

  it("refuses what it does not understand", async () => {
    const running = RunningInit.silent(command);
    await running.send(encodeClose());
    assert.deepEqual(await running.rest(), [{ type: "refused", reason: Refusal.NOT_HELLO }]);
    assert.equal(await running.ended, 1);
  });
});
