import assert from "node:assert/strict";
import { chmodSync, closeSync, mkdirSync, openSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InitEvent, ProcessExit } from "../../src/init/decode.js";
import type { DescriptorMapping, LaunchOrder } from "../../src/init/encode.js";
import { encodeClose, encodeFurnish, encodeHello, encodeLaunch, encodeMake, encodeSignal } from "../../src/init/encode.js";
import {
  Bound,
  Frame,
  HelloFlag,
  MAGIC,
  Origin,
  Refusal,
  Section,
  SignalScope,
  Step,
  VERSION,
} from "../../src/init/protocol.js";
import { DescriptorScope } from "../../src/node/descriptor-scope.js";
import { exitStatus, ifExited, ifSignaled, termSignal } from "../../src/subprocess/wait-status.js";
import { full, furnished, joined, rootDirectory, smallest } from "../init/samples.js";
import { fixture, temporaryDirectory } from "../node/gsubprocess/children.js";
import { Call, failing, failingWith, invalid, killing } from "./filters.js";
import type { InitCommand, InitOptions } from "./running-init.js";
import {
  behindAnother,
  canStart,
  hasProgram,
  inBubblewrap,
  init,
  inUnshare,
  needs,
  Output,
  RunningInit,
  sanitizedInit,
  sanitizedInitByFork,
} from "./running-init.js";

const probe = fixture("init-probe");
const testprog = fixture("testprog");
const hostile = fixture("hostile");

/** Errno numbers of Linux that are expected here. */
const E = {
  PERM: 1,
  NOENT: 2,
  TOOBIG: 7,
  BADF: 9,
  AGAIN: 11,
  ACCES: 13,
  NOTDIR: 20,
  INVAL: 22,
  MFILE: 24,
  NAMETOOLONG: 36,
  LOOP: 40,
  TIMEDOUT: 110,
} as const;
const SIG = { HUP: 1, KILL: 9, USR1: 10, TERM: 15, SYS: 31 } as const;

const stdout: DescriptorMapping = { target: 1, origin: Origin.RECEIVED, source: 0 };
const received = (target: number, source: number): DescriptorMapping => ({ target, origin: Origin.RECEIVED, source });
const inherited = (target: number, source: number): DescriptorMapping => ({ target, origin: Origin.INHERITED, source });
const shell = (script: string, ...parameters: string[]): string[] => ["/bin/sh", "-c", script, ...parameters];
const forEver = [testprog, "sleep-forever"];

function frame(type: number, process: number, ...words: readonly number[]): Uint8Array {
  return words32(4 * words.length, type, process, ...words);
}

function words32(...words: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => bytes.writeUInt32LE(word, 4 * index));
  return bytes;
}

function types(events: readonly InitEvent[]): string[] {
  return events.map(({ type }) => type);
}

/** What init runs in, and what HELLO has to say of that. */
interface Place {
  readonly prefix: InitCommand;
  readonly flags: number;
}

const asFirst: Place = { prefix: inBubblewrap, flags: 0 };
const asSecond: Place = { prefix: behindAnother, flags: HelloFlag.NOT_PID_1 };

for (const [name, program, place] of [
  ["gio-sandbox-init", init, asFirst],
  ["gio-sandbox-init that is not the first process", init, asSecond],
  ["gio-sandbox-init with sanitizers", sanitizedInit, asFirst],
  ["gio-sandbox-init with sanitizers, starting processes by fork()", sanitizedInitByFork, asFirst],
] as const) {
  describe(name, function () {
    before(function () {
      needs(this, hasProgram(program), program);
      needs(this, canStart(inBubblewrap), "a bwrap that can make a pid namespace");
    });
    describeInit([program], place);
  });
}

function describeInit(command: InitCommand, place: Place): void {
  const greeted = (flags = 0, options: InitOptions = {}): Promise<RunningInit> =>
    RunningInit.greeted(command, flags | place.flags, { prefix: place.prefix, ...options });
  const silent = (): RunningInit => RunningInit.silent(command, { prefix: place.prefix });
  const helloHere = (flags = 0): Uint8Array => encodeHello(flags | place.flags);

  /** What a process writes to the standard output that it is given. */
  async function outputOf(running: RunningInit, parts: Partial<LaunchOrder>): Promise<string> {
    using output = new Output();
    const exit = await running.run({ ...parts, descriptors: [stdout, ...(parts.descriptors ?? [])] }, [output.end]);
    assert.equal(exit.status, 0);
    return await output.all();
  }

  describe("says how a process ended:", () => {
    it("exit 137 is an exit, and SIGKILL is a signal", async () => {
      await using running = await greeted();
      const exit = await running.run({ argv: [testprog, "exit", "137"] });
      assert.ok(ifExited(exit.status));
      assert.equal(exitStatus(exit.status), 137);
      const kill = await running.run({ argv: [testprog, "kill-self", "9"] });
      assert.ok(ifSignaled(kill.status));
      assert.equal(termSignal(kill.status), SIG.KILL);
    });

    it("every exit status", async () => {
      await using running = await greeted();
      for (let code = 0; code < 256; code += code < 8 || code > 120 ? 1 : 8) {
        assert.equal((await running.run({ process: 1 + code, argv: [testprog, "exit", String(code)] })).status, code << 8);
      }
    });

    it("every signal that ends a process", async () => {
      await using running = await greeted();
      // those that stop, continue or are ignored do not
      const others = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33];
      for (let signal = 1; signal <= 64; signal++) {
        if (others.includes(signal)) continue;
        const { status } = await running.run({ argv: [testprog, "kill-self", String(signal)] });
        assert.equal(status & 0x7f, signal);
        assert.equal(status >> 8, 0);
      }
    });

    it("what it used", async () => {
      await using running = await greeted();
      const least = (await running.run({ argv: [probe, "sleep", "0"] })).usage;
      const cpu = (await running.run({ argv: [probe, "burn", "60"] })).usage;
      assert.ok(cpu.userMicroseconds + cpu.systemMicroseconds >= 59000, JSON.stringify(cpu));
      assert.ok(cpu.wallMicroseconds >= 59000);
      const memory = (await running.run({ argv: [probe, "touch-memory", "64"] })).usage;
      assert.ok(memory.maximumResidentKibibytes >= 64 * 1024);
      assert.ok(memory.maximumResidentKibibytes > least.maximumResidentKibibytes + 32 * 1024);
      assert.ok(memory.minorFaults > least.minorFaults);
      const sleep = (await running.run({ argv: [probe, "sleep", "60"] })).usage;
      assert.ok(sleep.wallMicroseconds >= 60000 && sleep.wallMicroseconds < 20e6);
      assert.ok(sleep.userMicroseconds + sleep.systemMicroseconds < 60000);
      assert.ok(sleep.voluntarySwitches > 0);
    });
  });

  describe("refuses, with the reason, and exits:", () => {
    const hello = helloHere();
    const section = words32(Section.ARGUMENT, 4, 0x787878);
    const launchOf = (...sections: readonly Uint8Array[]): Uint8Array => {
      const body = joined(...sections);
      return joined(hello, words32(body.length, Frame.LAUNCH, 1), body);
    };
    const streams: Readonly<Partial<Record<keyof typeof Refusal, readonly Uint8Array[]>>> = {
      NOT_HELLO: [encodeClose(), encodeLaunch(full), frame(77, 0)],
      BAD_MAGIC: [frame(Frame.HELLO, 0, MAGIC + 1, VERSION, 0)],
      BAD_VERSION: [frame(Frame.HELLO, 0, MAGIC, VERSION + 1, 0), frame(Frame.HELLO, 0, MAGIC, 9, 0, 0, 0, 0)],
      UNKNOWN_FRAME: [joined(hello, frame(Frame.READY, 0, VERSION, 0)), joined(hello, frame(7, 0)), joined(hello, encodeFurnish(rootDirectory)), joined(hello, encodeMake(furnished))],
      TOO_LONG: [joined(hello, words32(Bound.MAX_BODY + 1, Frame.LAUNCH, 1))],
      MALFORMED: [joined(hello, hello), launchOf(words32(Section.VARIABLE, 1, 0)), joined(hello, frame(Frame.CLOSE, 0, 0))],
      UNKNOWN_SECTION: [launchOf(section, words32(99, 0))],
      TOO_MANY: [launchOf(section, ...new Array<Uint8Array>(Bound.MAX_LIMITS + 1).fill(words32(Section.LIMIT, 24, 0, 0, 0, 0, 0, 0)))],
      PROCESS_NUMBER: [joined(hello, words32(section.length, Frame.LAUNCH, 0), section)],
      SINGLE_USE: [joined(helloHere(HelloFlag.SINGLE_USE), ...[1, 2].map((process) => encodeLaunch({ ...smallest, process, argv: forEver })))],
    };

    for (const [reason, bytes] of Object.entries(streams)) {
      it(reason, async () => {
        for (const stream of bytes) {
          await using running = silent();
          await running.send(stream);
          const events = await running.rest();
          assert.deepEqual(events.at(-1), { type: "refused", reason: Refusal[reason as keyof typeof Refusal] });
          assert.equal(await running.ended, 1);
        }
      });
    }

    it("NOT_PID_1", async () => {
      // with bwrap's own first process before it, and in no namespace at all
      for (const prefix of [behindAnother, ["env"]]) {
        await using running = RunningInit.silent(command, { prefix });
        await running.send(encodeHello(0));
        assert.deepEqual(await running.rest(), [{ type: "refused", reason: Refusal.NOT_PID_1 }]);
        assert.equal(await running.ended, 1);
      }
    });

    it("each reason that there is", () => {
      assert.deepEqual([...Object.keys(streams), "NOT_PID_1"], Object.keys(Refusal));
    });

    it("PROCESS_NUMBER of a living process, but not of one that has ended", async () => {
      await using running = await greeted();
      for (let round = 0; round < 2; round++) await running.run({ process: 5, argv: [testprog, "noop"] });
      await running.launch({ process: 5, argv: forEver });
      await running.expect("started");
      await running.launch({ process: 5 });
      assert.deepEqual(await running.rest(), [{ type: "refused", reason: Refusal.PROCESS_NUMBER }]);
    });

    it("TOO_MANY descriptors that no launch has used, but not one fewer", async () => {
      using scope = new DescriptorScope();
      const [descriptor] = scope.pipe();
      const message = (count: number): number[] => new Array<number>(count).fill(descriptor);
      const signal = encodeSignal(1, 0, SignalScope.PROCESS);
      await using running = await greeted(0, { prefix: ["prlimit", "--nofile=4096", ...place.prefix] });
      for (const count of [253, 253, 253, 253, 12]) await running.send(signal, message(count));
      assert.equal((await running.run({ argv: [testprog, "exit", "4"] })).status, 4 << 8);
      for (const count of [253, 253, 253, 253, 12, 1]) await running.send(signal, message(count));
      assert.deepEqual(await running.rest(), [{ type: "refused", reason: Refusal.TOO_MANY }]);
    });

    it("and what ran is killed", async () => {
      using output = new Output();
      await using running = await greeted();
      await running.launch({ argv: [probe, "family"], descriptors: [stdout] }, [output.end]);
      output.given();
      await output.take(4);
      await running.send(frame(99, 0));
      assert.equal(await output.all(), "", "nobody holds the pipe any more");
    });
  });

  describe("reads frames", () => {
    it("that come all at once", async () => {
      await using running = silent();
      await running.send(joined(helloHere(), encodeLaunch({ ...smallest, argv: [testprog, "exit", "3"] })));
      for (const type of ["ready", "started", "exited", "empty"] as const) await running.expect(type);
    });

    it("that come byte by byte", async () => {
      await using running = silent();
      const order: LaunchOrder = { ...smallest, argv: [testprog, "exit", "3"], environment: ["A=B"] };
      for (const byte of joined(helloHere(), encodeLaunch(order))) await running.send(Uint8Array.of(byte));
      await running.expect("ready");
      await running.expect("started");
      assert.equal((await running.expect("exited")).status, 3 << 8);
    });

    it("that are cut at every place", async () => {
      await using running = await greeted();
      const bytes = encodeLaunch({ ...smallest, argv: [testprog, "exit", "3"] });
      for (let place = 1; place < bytes.length; place += 3) {
        await running.send(bytes.subarray(0, place));
        await running.send(bytes.subarray(place));
        for (const type of ["started", "exited", "empty"] as const) await running.expect(type);
      }
    });

    it("as large as they may be", async () => {
      await using running = await greeted();
      const environment = Array.from({ length: 60 }, (_, index) => `V${index}=${"x".repeat(20000)}`);
      const output = await outputOf(running, { argv: [testprog, "env"], environment });
      assert.equal(output, environment.map((variable) => `${variable}\n`).join(""));
      const tooBig = await running.fail({ argv: [testprog, "a".repeat(Bound.MAX_BODY - 1024)] });
      assert.deepEqual([tooBig.step, tooBig.errno], [Step.EXEC, E.TOOBIG]);
      assert.equal((await running.run({ argv: [testprog, "noop"] })).status, 0, "and goes on");
    });
  });

  describe("reports a launch that fails,", () => {
    type Expected = readonly [step: Step, errno: number, detail?: number];

    async function assertFails(running: RunningInit, parts: Partial<LaunchOrder>, [step, errno, detail = 0]: Expected): Promise<void> {
      const failure = await running.fail({ process: 9, argv: [testprog, "noop"], ...parts });
      assert.deepEqual(failure, { type: "failed", process: 9, step, errno, detail });
    }

    it("in step IDENTITY: the path is another file, or none", async () => {
      using directory = temporaryDirectory();
      const file = join(directory.path, "file");
      writeFileSync(file, "");
      const { dev, ino } = statSync(file, { bigint: true });
      const right = { path: file, device: dev, inode: ino };
      await using running = await greeted();
      assert.equal((await running.run({ argv: [testprog, "noop"], identities: [right, right] })).status, 0);
      await assertFails(running, { identities: [{ ...right, inode: ino + 1n }] }, [Step.IDENTITY, 0]);
      await assertFails(running, { identities: [right, { ...right, device: dev + 1n }] }, [Step.IDENTITY, 0, 1]);
      await assertFails(running, { identities: [right, right, { ...right, path: `${file}-not` }] }, [Step.IDENTITY, E.NOENT, 2]);
      await assertFails(running, { identities: [{ ...right, path: `${file}/below` }] }, [Step.IDENTITY, E.NOTDIR]);
      symlinkSync(file, join(directory.path, "link"));
      assert.equal((await running.run({ argv: [testprog, "noop"], identities: [{ ...right, path: join(directory.path, "link") }] })).status, 0);
    });

    it("in step FORK: there are too many processes, or descriptors", async () => {
      using scope = new DescriptorScope();
      const refusing = (): InitOptions => ({
        prefix: withFilter(place.prefix, 4),
        inherited: [filterFile(scope, failing(Call.clone, E.AGAIN))],
      });
      {
        await using running = await greeted(0, refusing());
        await assertFails(running, {}, [Step.FORK, E.AGAIN]);
        await assertFails(running, {}, [Step.FORK, E.AGAIN]);
      }
      await using running = await greeted(HelloFlag.SINGLE_USE, refusing());
      await assertFails(running, {}, [Step.FORK, E.AGAIN]);
      assert.deepEqual(await running.rest(), [], "a single-use init is done with that");
      assert.equal(await running.ended, 0);
    });

    it("in step FORK: it has no descriptors left", async () => {
      const prefix = [...place.prefix, "prlimit", "--nofile=6"];
      await using running = await greeted(0, { prefix });
      await assertFails(running, {}, [Step.FORK, E.MFILE]);
    });

    it("in step DIRECTORY", async () => {
      await using running = await greeted();
      await assertFails(running, { directory: "/nowhere" }, [Step.DIRECTORY, E.NOENT]);
      await assertFails(running, { directory: "/etc/passwd" }, [Step.DIRECTORY, E.NOTDIR]);
      await assertFails(running, { directory: "" }, [Step.DIRECTORY, E.NOENT]);
    });

    it("in step DESCRIPTOR: there is no such source", async () => {
      using scope = new DescriptorScope();
      const [descriptor] = scope.pipe();
      // never init's own: its control socket, /dev/null, and the standard streams that it was not given
      for (let source = 3; source < 12; source++) {
        if (source === 4) continue;
        await using running = await greeted(0, { inherited: [descriptor] });
        const descriptors = [inherited(5, 4), inherited(9, source)];
        await assertFails(running, { descriptors }, [Step.DESCRIPTOR, E.BADF, 1]);
      }
      await using running = await greeted(0, { inherited: [descriptor] });
      await assertFails(running, { descriptors: [inherited(5, 2 ** 31)] }, [Step.DESCRIPTOR, E.BADF]);
      await assertFails(running, { descriptors: [inherited(5, 2 ** 32 - 1)] }, [Step.DESCRIPTOR, E.BADF]);
      await assertFails(running, { descriptors: [received(5, 0)] }, [Step.DESCRIPTOR, E.BADF]);
      await running.launch({ descriptors: [received(5, 0), received(5, 1)] }, [descriptor]);
      assert.deepEqual(await running.expect("failed"), { type: "failed", process: 1, step: Step.DESCRIPTOR, errno: E.BADF, detail: 1 });
    });

    it("in step DESCRIPTOR: there can be no such target", async () => {
      using scope = new DescriptorScope();
      const [descriptor] = scope.pipe();
      await using running = await greeted(0, { prefix: ["prlimit", "--nofile=512", ...place.prefix] });
      for (const target of [512, 513, 10000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
        await running.launch({ descriptors: [received(5, 0), received(target, 0)] }, [descriptor]);
        const expected = { type: "failed", process: 1, step: Step.DESCRIPTOR, errno: E.BADF, detail: 1 };
        assert.deepEqual(await running.expect("failed"), expected, String(target));
        await running.expect("empty");
      }
    });

    it("in step LIMIT", async () => {
      await using running = await greeted();
      const good = { resource: 1, soft: 1, hard: 2 };
      await assertFails(running, { limits: [good, { resource: 1, soft: 2, hard: 1 }] }, [Step.LIMIT, E.INVAL, 1]);
      await assertFails(running, { limits: [{ resource: 16, soft: 1, hard: 1 }] }, [Step.LIMIT, E.INVAL]);
      await assertFails(running, { limits: [{ resource: 2 ** 32 - 1, soft: 1, hard: 1 }] }, [Step.LIMIT, E.INVAL]);
    });

    it("in step NO_NEW_PRIVILEGES", async () => {
      using scope = new DescriptorScope();
      const filter = filterFile(scope, failingWith(Call.prctl, 38 /* PR_SET_NO_NEW_PRIVS */, E.PERM));
      await using running = await greeted(0, { prefix: withFilter(place.prefix, 4), inherited: [filter] });
      await assertFails(running, {}, [Step.NO_NEW_PRIVILEGES, E.PERM]);
    });

    it("in step FILTER", async () => {
      await using running = await greeted();
      await assertFails(running, { filters: [failing(Call.uname, E.PERM), invalid] }, [Step.FILTER, E.INVAL, 1]);
      await assertFails(running, { filters: [invalid] }, [Step.FILTER, E.INVAL]);
    });

    it("in step EXEC", async () => {
      using directory = temporaryDirectory();
      const inDirectory = (name: string): string => join(directory.path, name);
      writeFileSync(inDirectory("text"), "text");
      symlinkSync("loop", inDirectory("loop"));
      await using running = await greeted();
      await assertFails(running, { argv: ["/nowhere/program"] }, [Step.EXEC, E.NOENT]);
      await assertFails(running, { argv: [""] }, [Step.EXEC, E.NOENT]);
      await assertFails(running, { argv: ["program"] }, [Step.EXEC, E.NOENT]);
      await assertFails(running, { argv: [inDirectory("text")] }, [Step.EXEC, E.ACCES]);
      await assertFails(running, { argv: [directory.path] }, [Step.EXEC, E.ACCES]);
      await assertFails(running, { argv: [inDirectory("text/program")] }, [Step.EXEC, E.NOTDIR]);
      await assertFails(running, { argv: [inDirectory("loop")] }, [Step.EXEC, E.LOOP]);
      await assertFails(running, { argv: [`/${"a".repeat(5000)}`] }, [Step.EXEC, E.NAMETOOLONG]);
      await assertFails(running, { argv: [testprog, "a".repeat(200000)] }, [Step.EXEC, E.TOOBIG]);
    });

    it("in step WATCH: what is to count as memory is no file system in memory", async () => {
      for (const [path, errno] of [["/proc", E.INVAL], ["/nowhere", E.NOENT]] as const) {
        await using running = await greeted();
        await assertFails(running, { tmpfs: [path] }, [Step.WATCH, errno]);
      }
    });

    it("and every step is one of these", () => {
      const steps = ["IDENTITY", "FORK", "DIRECTORY", "DESCRIPTOR", "LIMIT", "NO_NEW_PRIVILEGES", "FILTER", "EXEC", "WATCH"];
      // what comes after these is of sandboxes that are made: template.test.ts
      assert.deepEqual(Object.keys(Step).slice(0, steps.length), steps);
    });

    it("first step first, and the next launch can do better", async () => {
      await using running = await greeted();
      const bad: Partial<LaunchOrder> = { directory: "/nowhere", descriptors: [received(5, 0)], filters: [invalid], argv: ["/nowhere"] };
      await assertFails(running, bad, [Step.DIRECTORY, E.NOENT]);
      await assertFails(running, { ...bad, directory: "/" }, [Step.DESCRIPTOR, E.BADF]);
      await assertFails(running, { ...bad, directory: "/", descriptors: [] }, [Step.FILTER, E.INVAL]);
      await assertFails(running, { argv: ["/nowhere"] }, [Step.EXEC, E.NOENT]);
      assert.equal((await running.run({ argv: [testprog, "exit", "7"] })).status, 7 << 8);
    });
  });

  describe("starts a program", () => {
    it("with exactly its arguments, its environment and its directory", async () => {
      await using running = await greeted();
      assert.equal(await outputOf(running, { argv: [testprog, "echo", "", "ä", " b "] }), "\nä\n b \n");
      assert.equal(await outputOf(running, { argv: [testprog, "env"] }), "");
      const environment = ["B=2", "A=1", "A=twice", "no equals sign", "="];
      assert.equal(await outputOf(running, { argv: [testprog, "env"], environment }), environment.map((line) => `${line}\n`).join(""));
      assert.equal(await outputOf(running, { argv: [testprog, "cwd"] }), "/\n");
      assert.equal(await outputOf(running, { argv: [testprog, "cwd"], directory: "/usr/share" }), "/usr/share\n");
    });

    it("by its name in the search path, as a shell would find it", async () => {
      using directory = temporaryDirectory();
      const inDirectory = (name: string): string => join(directory.path, name);
      for (const [name, text] of [["first", "echo first"], ["second", "echo second"]] as const) {
        mkdirSync(inDirectory(name));
        writeFileSync(join(inDirectory(name), "program"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      }
      mkdirSync(inDirectory("denied"));
      writeFileSync(join(inDirectory("denied"), "program"), "", { mode: 0o644 });
      const [first, second, denied] = ["first", "second", "denied"].map(inDirectory);
      await using running = await greeted();
      const search = (searchPath: string, directoryInside = "/"): Promise<string> =>
        outputOf(running, { argv: ["program"], searchPath, directory: directoryInside });
      assert.equal(await search(`${first}:${second}`), "first\n");
      assert.equal(await search(`/nowhere:/etc/passwd:${denied}:${second}:${first}`), "second\n");
      assert.equal(await search(":/nowhere", first), "first\n");
      assert.equal(await search("/nowhere:", second), "second\n");
      assert.equal(await search(`/nowhere::${first}`, second), "second\n");
      assert.equal(await outputOf(running, { argv: ["first/program"], searchPath: second ?? "", directory: directory.path }), "first\n");
      const failed = async (searchPath: string): Promise<number> => (await running.fail({ argv: ["program"], searchPath })).errno;
      assert.equal(await failed(`${denied}:/nowhere`), E.ACCES);
      assert.equal(await failed("/nowhere:/neither"), E.NOENT);
      assert.equal(await failed(""), E.NOENT);
      assert.equal(await failed(`/${"a".repeat(5000)}`), E.NAMETOOLONG);
    });

    it("with /bin/sh if it is a text file without an interpreter", async () => {
      using directory = temporaryDirectory();
      const script = join(directory.path, "script");
      writeFileSync(script, 'echo "$0" "$@"\n');
      chmodSync(script, 0o755);
      await using running = await greeted();
      assert.equal(await outputOf(running, { argv: [script, "a", "b"] }), `${script} a b\n`);
      assert.equal(await outputOf(running, { argv: ["script", "a"], searchPath: `/nowhere:${directory.path}` }), `${script} a\n`);
    });

    it("with no signal blocked or ignored, as a session leader, and without a way to new privileges", async () => {
      await using running = await greeted();
      const lines = (await outputOf(running, { argv: [probe, "status"] })).split("\n");
      const none = "0".repeat(16);
      for (const line of [`SigBlk:\t${none}`, `SigIgn:\t${none}`, "NoNewPrivs:\t1", "Seccomp:\t0", "leader 1"]) {
        assert.ok(lines.includes(line), `${line} in ${lines.join(", ")}`);
      }
    });

    it("with its limits, but never above init's own", async () => {
      await using running = await greeted(0, { prefix: ["prlimit", "--fsize=1000:5000", ...place.prefix] });
      const limitsOf = (soft: number | null, hard: number | null): Promise<string> =>
        outputOf(running, { argv: [probe, "limit", "1"], limits: [{ resource: 1, soft, hard }] });
      assert.equal(await limitsOf(100, 200), "100 200\n");
      assert.equal(await limitsOf(100, 6000), "100 5000\n");
      assert.equal(await limitsOf(null, null), "5000 5000\n");
      assert.equal(await limitsOf(0, 0), "0 0\n");
      assert.equal(await outputOf(running, { argv: [probe, "limit", "1"] }), "1000 5000\n");
      const limits = [{ resource: 7, soft: 20, hard: 30 }, { resource: 4, soft: 1, hard: 1 }, { resource: 7, soft: 10, hard: 25 }];
      assert.equal(await outputOf(running, { argv: [probe, "limit", "7"], limits }), "10 25\n");
      assert.equal(await outputOf(running, { argv: [probe, "limit", "4"], limits }), "1 1\n");
    });

    it("with its filters, each of them", async () => {
      await using running = await greeted();
      const uname = (filters: readonly Uint8Array[]): Promise<string> => outputOf(running, { argv: [probe, "uname"], filters });
      assert.equal(await uname([]), "0\n");
      assert.equal(await uname([failing(Call.uname, E.PERM)]), `${E.PERM}\n`);
      assert.equal(await uname([failing(Call.uname, E.ACCES)]), `${E.ACCES}\n`);
      const other = failing(400, E.PERM);
      assert.equal(await uname([other, failing(Call.uname, E.PERM), other, other]), `${E.PERM}\n`);
      const lines = (await outputOf(running, { argv: [probe, "status"], filters: [other] })).split("\n");
      assert.ok(lines.includes("Seccomp:\t2"));
      assert.equal(await uname([]), "0\n", "the next has none of them");
    });

    it("although its filter forbids everything: then it ends, and is told from one that never began", async () => {
      await using running = await greeted();
      await running.launch({ argv: [testprog, "noop"], filters: [killing] });
      await running.expect("started");
      assert.equal((await running.expect("exited")).status & 0x7f, SIG.SYS);
      await running.expect("empty");
      assert.equal((await running.run({ argv: [testprog, "noop"] })).status, 0);
    });
  });

  describe("gives a program descriptors:", () => {
    const descriptorsOf = async (running: RunningInit, parts: Partial<LaunchOrder>, given: readonly number[]): Promise<Map<number, string>> => {
      using output = new Output();
      const descriptors = [...(parts.descriptors ?? []), received(1, given.length)];
      await running.run({ argv: [probe, "descriptors"], ...parts, descriptors }, [...given, output.end]);
      const lines = (await output.all()).split("\n").slice(0, -1);
      return new Map(lines.map((line) => [Number(line.split(" ")[0]), line.split(" ")[1] ?? ""]));
    };

    it("its table and /dev/null for the standard streams, and nothing else", async () => {
      using files = new Files("A", "B");
      await using running = await greeted(0, { inherited: files.all });
      const found = await descriptorsOf(running, { descriptors: [inherited(7, 4), inherited(900, 5)] }, []);
      assert.deepEqual([...found.keys()], [0, 1, 2, 7, 900]);
      assert.equal(found.get(0), "/dev/null");
      assert.equal(found.get(2), "/dev/null");
      assert.equal(found.get(7), files.path(0));
      assert.equal(found.get(900), files.path(1));
    });

    it("inherited ones that change places, and of equal targets the last", async () => {
      using files = new Files("A", "B", "C");
      await using running = await greeted(0, { inherited: files.all });
      const descriptors = [inherited(4, 5), inherited(5, 4), inherited(0, 6), inherited(6, 4), inherited(6, 5), inherited(2, 6)];
      using output = new Output();
      const exit = await running.run(
        { argv: [probe, "contents", "4,5,0,6,2"], descriptors: [...descriptors, stdout] },
        [output.end],
      );
      assert.equal(exit.status, 0);
      assert.equal(await output.all(), "4=B\n5=A\n0=C\n6=B\n2=C\n");
    });

    it("received ones that change places too, however init numbered them", async () => {
      using files = new Files("A", "B", "C");
      await using running = await greeted();
      for (let shift = 0; shift < 30; shift++) {
        using output = new Output();
        const targets = [3, 4, 5].map((target) => target + shift);
        const descriptors = [...targets.map((target, index) => received(target, 2 - index)), received(1, 3)];
        await running.run({ argv: [probe, "contents", targets.join(",")], descriptors }, [...files.all, output.end]);
        assert.equal(await output.all(), targets.map((target, index) => `${target}=${"CBA"[index] ?? ""}\n`).join(""));
      }
    });

    it("that come in one message, or one a message, with any byte of the launch or a frame before it", async () => {
      using files = new Files("A", "B", "C");
      await using running = await greeted();
      const signal = encodeSignal(99, 0, SignalScope.PROCESS);
      const ways: readonly ((frame: Uint8Array, all: readonly number[]) => readonly (readonly [Uint8Array, readonly number[]])[])[] = [
        (bytes, all) => [[bytes, all]],
        (bytes, all) => all.map((fd, index) => [index < all.length - 1 ? bytes.subarray(index, index + 1) : bytes.subarray(index), [fd]]),
        (bytes, all) => [...all.map((fd) => [signal, [fd]] as const), [bytes, []]],
        (bytes, all) => [[bytes.subarray(0, 12), []], [bytes.subarray(12), all]],
        (bytes, all) => [[bytes.subarray(0, 5), all.slice(0, 2)], [bytes.subarray(5, -1), []], [bytes.subarray(-1), all.slice(2)]],
        (bytes, all) => [[signal, all.slice(0, 1)], [signal, []], [bytes.subarray(0, 1), all.slice(1)], [bytes.subarray(1), []]],
      ];
      for (const way of ways) {
        using output = new Output();
        const descriptors = [received(10, 0), received(11, 1), received(12, 2), received(1, 3)];
        const bytes = encodeLaunch({ ...smallest, argv: [probe, "contents", "10,11,12"], descriptors });
        for (const [part, fds] of way(bytes, [...files.all, output.end])) await running.send(part, fds);
        for (const type of ["started", "exited", "empty"] as const) await running.expect(type);
        assert.equal(await output.all(), "10=A\n11=B\n12=C\n");
      }
    });

    it("as many as there can be", async () => {
      using files = new Files("A");
      await using running = await greeted(0, { prefix: ["prlimit", "--nofile=4096", ...place.prefix] });
      const [file = -1] = files.all;
      const targets = Array.from({ length: 252 }, (_, index) => index + 3);
      const found = await descriptorsOf(running, { descriptors: targets.map((target, index) => received(target, index)) }, targets.map(() => file));
      assert.deepEqual([...found.keys()], [0, 1, 2, ...targets]);
      const all = Array.from({ length: Bound.MAX_DESCRIPTORS - 1 }, (_, index) => received(3 + (index % 900), 0));
      assert.deepEqual([...(await descriptorsOf(running, { descriptors: all }, [file])).keys()].length, 903);
    });

    it("received ones once: what a launch has not used is closed after it", async () => {
      await using running = await greeted();
      using unused = new Output();
      await running.launch({ argv: forEver }, [unused.end]);
      assert.equal(await unused.all(), "", "neither init nor the child has it");
      await running.expect("started");
      await running.launch({ process: 2, argv: [testprog, "noop"], descriptors: [received(5, 0)] });
      assert.equal((await running.expect("failed")).step, Step.DESCRIPTOR);
    });

    it("received ones that are closed also after a launch that fails", async () => {
      await using running = await greeted();
      using unused = new Output();
      await running.launch({ argv: ["/nowhere"] }, [unused.end]);
      assert.equal(await unused.all(), "");
    });

    it("inherited ones to the first launch only, failed or not: then its pipes end with it", async () => {
      for (const argv of [[testprog, "noop"], ["/nowhere"]]) {
        using output = new Output();
        await using running = await greeted(0, { inherited: [output.end] });
        output.given();
        await running.launch({ argv, descriptors: [inherited(9, 4)] });
        await running.next();
        assert.equal(await output.all(), "");
        while ((await running.next()) !== "end") {
          await running.launch({ process: 2, argv: forEver, descriptors: [inherited(9, 4)] });
          const failure = await running.expect(argv[0] === testprog ? "empty" : "failed").catch(() => null);
          if (failure !== null) break;
        }
      }
    });

    it("no inherited one to the second", async () => {
      using files = new Files("A");
      await using running = await greeted(0, { inherited: files.all });
      assert.equal((await running.run({ argv: [testprog, "noop"], descriptors: [inherited(9, 4)] })).status, 0);
      for (const source of [0, 1, 2, 3, 4, 5, 6]) {
        const failure = await running.fail({ argv: [testprog, "noop"], descriptors: [inherited(9, source)] });
        assert.deepEqual([failure.step, failure.errno], [Step.DESCRIPTOR, E.BADF]);
      }
    });
  });

  describe("ends a process that takes too long:", () => {
    it("it is killed with all that it started, and is said to have timed out", async () => {
      using output = new Output();
      await using running = await greeted();
      await running.launch({ argv: [probe, "family"], descriptors: [stdout], timeoutMilliseconds: 300 }, [output.end]);
      output.given();
      await running.expect("started");
      const exit = await running.expect("exited");
      assert.equal(exit.status, SIG.KILL);
      assert.equal(exit.timedOut, true);
      assert.ok(exit.usage.wallMicroseconds >= 300000);
      // C has left the session and lost its parent: it is not found, and belongs to the sandbox
      await running.send(encodeSignal(0, SIG.USR1, SignalScope.ALL));
      assert.equal(await output.take(5), "++++C");
    });

    it("in a single-use sandbox with everything", async () => {
      using output = new Output();
      await using running = await greeted(HelloFlag.SINGLE_USE);
      await running.launch({ argv: [probe, "family"], descriptors: [stdout], timeoutMilliseconds: 300 }, [output.end]);
      assert.deepEqual(types(await running.rest()), ["started", "exited", "empty"]);
      assert.equal(await output.all(), "++++");
      assert.equal(await running.ended, 0);
    });

    it("not one that ends in time, nor another one", async () => {
      await using running = await greeted();
      assert.equal((await running.run({ argv: [testprog, "noop"], timeoutMilliseconds: 20000 })).timedOut, false);
      assert.equal((await running.run({ argv: [testprog, "noop"], timeoutMilliseconds: Number.MAX_SAFE_INTEGER })).timedOut, false);
      await running.launch({ process: 1, argv: [probe, "sleep", "400"] });
      await running.launch({ process: 2, argv: forEver, timeoutMilliseconds: 100 });
      const ends: ProcessExit[] = [];
      while (ends.length < 2) {
        const event = await running.next();
        if (event !== "end" && event.type === "exited") ends.push(event);
      }
      assert.deepEqual(ends.map(({ process, timedOut, status }) => [process, timedOut, status]), [[2, true, SIG.KILL], [1, false, 0]]);
    });

    it("at once if it has no time at all, whatever it was doing", async () => {
      await using running = await greeted();
      for (let round = 0; round < 50; round++) {
        await running.launch({ argv: forEver, timeoutMilliseconds: 0 });
        const first = await running.next();
        assert.ok(first !== "end" && (first.type === "failed" || first.type === "started"));
        if (first.type === "failed") assert.deepEqual([first.errno, first.detail], [E.TIMEDOUT, 0]);
        else assert.equal((await running.expect("exited")).timedOut, true);
        await running.expect("empty");
      }
    });
  });

  describe("runs several processes:", () => {
    it("one after another, many", async () => {
      await using running = await greeted();
      for (let round = 0; round < 200; round++) {
        assert.equal((await running.run({ process: 1 + (round % 3), argv: [testprog, "exit", String(round)] })).status, round << 8);
      }
    });

    it("at once, and tells each end, and when none is left", async () => {
      await using running = await greeted();
      const count = 60;
      for (let process = 1; process <= count; process++) {
        await running.launch({ process, argv: shell('read line; exit "$0"', String(process)), descriptors: [] });
      }
      const events: InitEvent[] = [];
      const ended = (): number => events.filter(({ type }) => type === "exited").length;
      while (ended() < count) {
        const event = await running.next();
        assert.ok(event !== "end");
        events.push(event);
      }
      for (let process = 1; process <= count; process++) {
        const own = events.filter((event) => "process" in event && event.process === process);
        assert.deepEqual(types(own), ["started", "exited"]);
        const exit = own[1];
        assert.ok(exit?.type === "exited" && exit.status === process << 8);
      }
      await running.expect("empty");
    });

    it("and loses no word about them while the launcher does not listen", async () => {
      await using running = await greeted();
      running.pause();
      const count = 600;
      const sent = (async () => {
        for (let process = 1; process <= count; process++) await running.launch({ process, argv: [testprog, "exit", "5"] });
      })();
      await new Promise((resolve) => setTimeout(resolve, 500));
      running.resume();
      await sent;
      const statuses = new Map<number, number>();
      while (statuses.size < count) {
        const event = await running.next();
        assert.ok(event !== "end");
        if (event.type === "exited") statuses.set(event.process, event.status);
      }
      assert.ok([...statuses.values()].every((status) => status === 5 << 8));
    });

    it("and says EMPTY when the last descendant has ended, not before", async () => {
      await using running = await greeted();
      const start = performance.now();
      await running.launch({ argv: [probe, "leave", "400"] });
      await running.expect("started");
      await running.expect("exited");
      assert.ok(performance.now() - start < 400);
      await running.expect("empty");
      assert.ok(performance.now() - start >= 400);
      assert.equal(await running.soon(50), null, "and once");
    });

    it("and reaps whatever they leave", async () => {
      await using running = await greeted();
      const exit = await running.run({ argv: [probe, "orphans", "300"] });
      assert.equal(exit.status, 3 << 8);
      assert.equal(await outputOf(running, { argv: shell("cd /proc; set -- [0-9]*; echo $#") }), place === asFirst ? "2\n" : "3\n");
    });

    it("but only one if it is for a single use: it exits when nothing is left, descendants included", async () => {
      await using running = await greeted(HelloFlag.SINGLE_USE);
      const start = performance.now();
      await running.launch({ argv: [probe, "leave", "300"] });
      assert.deepEqual(types(await running.rest()), ["started", "exited", "empty"]);
      assert.ok(performance.now() - start >= 300);
      assert.equal(await running.ended, 0);
    });

    it("and exits after a failed launch, too, if it is for a single use", async () => {
      await using running = await greeted(HelloFlag.SINGLE_USE);
      await running.launch({ argv: ["/nowhere"] });
      assert.deepEqual(types(await running.rest()), ["failed", "empty"]);
      assert.equal(await running.ended, 0);
    });
  });

  describe("passes signals on:", () => {
    for (const [scope, reached] of [["PROCESS", "L"], ["GROUP", "AL"], ["TREE", "ABL"], ["ALL", "ABCL"]] as const) {
      it(`to ${reached} with scope ${scope}`, async () => {
        using output = new Output();
        await using running = await greeted();
        await running.launch({ process: 3, argv: [probe, "family"], descriptors: [stdout] }, [output.end]);
        output.given();
        assert.equal(await output.take(4), "++++");
        await running.send(encodeSignal(scope === "ALL" ? 0 : 3, SIG.USR1, SignalScope[scope]));
        assert.equal(Array.from(await output.take(reached.length)).sort().join(""), reached);
        // then all are killed: what else came would stand there
        await running.send(encodeSignal(3, 0, SignalScope[scope]));
        await running.send(encodeSignal(0, SIG.KILL, SignalScope.ALL));
        assert.equal(await output.all(), "");
      });
    }

    it("SIGKILL to the tree, whose members are called what they like", async () => {
      using output = new Output();
      await using running = await greeted();
      await running.launch({ process: 3, argv: [probe, "family"], descriptors: [stdout] }, [output.end]);
      output.given();
      await output.take(4);
      await running.expect("started");
      await running.send(encodeSignal(3, SIG.KILL, SignalScope.TREE));
      assert.equal((await running.expect("exited")).status, SIG.KILL);
      await running.send(encodeSignal(0, SIG.USR1, SignalScope.ALL));
      assert.equal(await output.take(1), "C");
    });

    it("right behind the launch", async () => {
      await using running = await greeted();
      for (const scope of Object.values(SignalScope)) {
        for (let round = 0; round < 10; round++) {
          const launch = encodeLaunch({ ...smallest, process: 3, argv: forEver });
          await running.send(joined(launch, encodeSignal(3, SIG.TERM, scope)));
          await running.expect("started");
          assert.equal((await running.expect("exited")).status, SIG.TERM);
          await running.expect("empty");
        }
      }
    });

    it("to nobody if there is no such process or no such signal", async () => {
      await using running = await greeted();
      await running.run({ process: 3, argv: [testprog, "noop"] });
      await running.launch({ process: 4, argv: [probe, "sleep", "300"] });
      for (const scope of [SignalScope.PROCESS, SignalScope.GROUP, SignalScope.TREE]) {
        for (const process of [0, 3, 5, 2 ** 32 - 1]) await running.send(encodeSignal(process, SIG.KILL, scope));
      }
      for (const scope of Object.values(SignalScope)) {
        for (const signal of [0, 65, 128, 2 ** 31, 2 ** 32 - 1]) await running.send(encodeSignal(4, signal, scope));
      }
      await running.expect("started");
      assert.equal((await running.expect("exited")).status, 0);
    });
  });

  describe("ends everything", () => {
    const endings: readonly (readonly [string, (running: RunningInit) => unknown])[] = [
      ["when the launcher says CLOSE", (running) => running.send(encodeClose())],
      ["when the launcher closes its end of the socket", (running) => running.close()],
      ["when the launcher will send no more", (running) => running.endSending()],
      [
        "when the launcher closes in the middle of a frame",
        async (running) => {
          await running.send(encodeLaunch(full).subarray(0, 30));
          running.close();
        },
      ],
    ];
    for (const [when, end] of endings) {
      it(when, async () => {
        using output = new Output();
        await using running = await greeted();
        await running.launch({ argv: [probe, "family"], descriptors: [stdout] }, [output.end]);
        await running.launch({ process: 2, argv: [hostile, "ignore-signals"], descriptors: [stdout] }, [output.end]);
        output.given();
        await output.take(7);
        await end(running);
        assert.equal(await output.all(), "", "nobody holds the pipe any more");
        assert.equal(await running.ended, 0);
      });
    }

    it("when it has nothing to do yet, too", async () => {
      for (const [, end] of endings.slice(0, 3)) {
        await using running = await greeted();
        await end(running);
        assert.deepEqual(await running.rest(), []);
        assert.equal(await running.ended, 0);
      }
    });
  });

  describe("cannot be reached by a child", () => {
    // signals do reach one that is not the first process: the kernel protects it no more than its children
    if (place === asFirst) {
      it("through /proc, ptrace() or signals", async () => {
        await using running = await greeted();
        assert.equal(await outputOf(running, { argv: [hostile, "attack-init"] }), "");
        assert.equal((await running.run({ argv: [testprog, "noop"] })).status, 0);
      });
    }

    it("through a descriptor", async () => {
      await using running = await greeted();
      assert.equal(await outputOf(running, { argv: [hostile, "flood-descriptors"] }), "0\n");
      assert.equal(await running.soon(0), null);
    });

    it("through its files in /proc", async () => {
      await using running = await greeted();
      const attempts = ["mem", "environ", "maps", "fd/3", "root/etc/passwd", "cwd/etc/passwd", "exe", "stack", "io", "auxv"];
      // which numbers its descriptors have may show; they can't be opened
      const script = 'for file; do head -c 1 "/proc/$PPID/$file" >/dev/null 2>&1 && echo "$file"; done; cat /proc/$PPID/comm';
      assert.equal(await outputOf(running, { argv: shell(script, "sh", ...attempts) }), "gio-sandbox-ini\n");
    });
  });
}

describe("gio-sandbox-init among others", () => {
  it("kills what it has started, and nobody else", async function () {
    needs(this, canStart(inBubblewrap), "a bwrap that can make a pid namespace");
    using bystander = new Output();
    // of the same user, in the same pid namespace, no child of init's, and gone after a second
    const script = '( { sleep 1; echo survived; } >&4 & ); exec "$@" 4>&-';
    const prefix = [...behindAnother, "sh", "-c", script, "sh"];
    const running = await RunningInit.greeted([init], HelloFlag.NOT_PID_1, { prefix, inherited: [bystander.end] });
    bystander.given();
    using output = new Output();
    await running.launch({ argv: [probe, "family"], descriptors: [stdout] }, [output.end]);
    output.given();
    await output.take(4);
    await running.send(encodeSignal(0, SIG.USR1, SignalScope.ALL));
    assert.equal(Array.from(await output.take(4)).sort().join(""), "ABCL");
    await running.send(encodeClose());
    assert.equal(await output.all(), "", "nobody holds the pipe any more");
    assert.equal(await bystander.all(), "survived\n");
    assert.equal(await running.ended, 0);
  });
});

describe("gio-sandbox-init in a namespace of unshare(1)", () => {
  it("runs a process, single-use", async function () {
    needs(this, canStart(inUnshare), "an unshare that can make a pid namespace");
    await using running = await RunningInit.greeted([init], HelloFlag.SINGLE_USE, { prefix: inUnshare });
    await running.launch({ argv: [testprog, "exit", "137"] });
    await running.expect("started");
    assert.equal((await running.expect("exited")).status, 137 << 8);
    assert.deepEqual(types(await running.rest()), ["empty"]);
    assert.equal(await running.ended, 0);
  });
});

/** bwrap with a seccomp filter, from this descriptor, on all that it starts. */
function withFilter(prefix: InitCommand, descriptor: number): InitCommand {
  const [program = "", ...words] = prefix;
  return [program, "--seccomp", String(descriptor), ...words];
}

function filterFile(scope: DescriptorScope, filter: Uint8Array): number {
  using directory = temporaryDirectory();
  const path = join(directory.path, "filter");
  writeFileSync(path, filter);
  return scope.own(openSync(path, "r"));
}

/** Files with one text each, opened. */
class Files {
  readonly all: readonly number[];
  readonly #directory = temporaryDirectory();

  constructor(...texts: readonly string[]) {
    this.all = texts.map((text, index) => {
      const path = join(this.#directory.path, String(index));
      writeFileSync(path, text);
      return openSync(path, "r");
    });
  }

  path(index: number): string {
    return readlinkSync(`/proc/self/fd/${this.all[index] ?? -1}`);
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.all) closeSync(descriptor);
    this.#directory[Symbol.dispose]();
  }
}
