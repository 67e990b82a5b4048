import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { kill, pid } from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import * as protocol from "../../src/gjs/system-call-protocol.js";
import { MAX_DATA, MAX_PATH, Operation } from "../../src/gjs/system-call-protocol.js";
import { DescriptorScope } from "../../src/node/descriptor-scope.js";
import type { Errno } from "../../src/subprocess/errno.js";
import { errnoNumber } from "../../src/subprocess/errno.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { hasProgram, needs } from "./running-init.js";
import type { RequestWords } from "./running-service.js";
import { encoded, RunningService, sanitizedService, service } from "./running-service.js";

const O_PATH = 0o10000000;
const MALFORMED = 1;
const USAGE = 2;

function assertFails(running: RunningService, request: RequestWords, errno: Errno): void {
  const { result, data } = running.call(request);
  assert.equal(result, -errnoNumber(errno), JSON.stringify(request));
  assert.equal(data.length, 0);
}

/** What makes `count` descriptors, each of which comes in a message of its own. */
function made(running: RunningService, request: RequestWords, scope: DescriptorScope, count: number): number[] {
  assert.deepEqual(running.call(request), { result: 0, data: Buffer.alloc(0) });
  return Array.from({ length: count }, () => {
    const descriptors = running.receive();
    assert.equal(descriptors.length, 1);
    return scope.own(descriptors[0] ?? -1);
  });
}

function status(data: Buffer): bigint[] {
  return Array.from({ length: 8 }, (_none, index) => data.readBigUInt64LE(8 * index));
}

function statusOf(path: string, look: typeof statSync): bigint[] {
  const { dev, ino, mode, nlink, uid, gid, rdev, size } = look(path, { bigint: true });
  return [dev, ino, mode, nlink, uid, gid, rdev, size];
}

describe("the constants of gio-sandbox-calls", () => {
  it("are the same in TypeScript and in C, and none is missing on either side", () => {
    const header = readFileSync(new URL("../../src/native/system-call-protocol.h", import.meta.url), "utf8");
    const inC = [...header.matchAll(/^\s*X \((\w+), (\d+)\)/gm)].map(([, name, value]) => [name, Number(value)]);
    assert.equal(inC.length, [...header.matchAll(/\bX \(/g)].length);
    const { Operation: operations, ...numbers } = protocol;
    const inTypeScript = [
      ...Object.entries(numbers),
      ...Object.entries(operations).map(([name, value]) => [`OPERATION_${name}`, value]),
    ];
    assert.deepEqual(inC.sort(), inTypeScript.sort());
    assert.equal(new Set(Object.values(operations)).size, Object.keys(operations).length);
  });
});

for (const [name, program] of [["as built", service], ["with sanitizers", sanitizedService]] as const) {
  describe(`gio-sandbox-calls, ${name},`, () => {
    before(function () {
      needs(this, hasProgram(program), program);
    });

    it("opens files, also as places, and makes them with a mode", async () => {
      using directory = temporaryDirectory();
      using scope = new DescriptorScope();
      await using running = new RunningService(program);
      const [place = -1] = made(running, { operation: Operation.OPEN, a: O_PATH, data: directory.path }, scope, 1);
      assert.equal(fstatSync(place).ino, statSync(directory.path).ino);
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
      const path = join(directory.path, "file");
      const [file = -1] = made(running, { operation: Operation.OPEN, a: flags, b: 0o640, data: path }, scope, 1);
      writeSync(file, "text");
      assert.equal(readFileSync(path, "utf8"), "text");
      assert.equal(statSync(path).mode & 0o777, 0o640);
      assertFails(running, { operation: Operation.OPEN, a: flags, data: path }, "EEXIST");
      assertFails(running, { operation: Operation.OPEN, data: "" }, "ENOENT");
    });

    it("makes pipes: the end to read from comes first", async () => {
      using scope = new DescriptorScope();
      await using running = new RunningService(program);
      const [reading = -1, writing = -1] = made(running, { operation: Operation.PIPE }, scope, 2);
      writeSync(writing, "through");
      closeSync(scope.release(writing));
      const bytes = Buffer.alloc(16);
      assert.equal(bytes.toString("utf8", 0, readSync(reading, bytes)), "through");
      // the service has no copy of the other end
      assert.equal(readSync(reading, bytes), 0);
    });

    it("makes sockets that are connected to each other", async () => {
      using scope = new DescriptorScope();
      await using running = new RunningService(program);
      const [one = -1, other = -1] = made(running, { operation: Operation.SOCKETPAIR }, scope, 2);
      const bytes = Buffer.alloc(16);
      for (const [from, to] of [[one, other], [other, one]] as const) {
        writeSync(from, "through");
        assert.equal(bytes.toString("utf8", 0, readSync(to, bytes)), "through");
      }
    });

    it("makes files in memory", async () => {
      using scope = new DescriptorScope();
      await using running = new RunningService(program);
      const [file = -1] = made(running, { operation: Operation.MEMFD, data: "label" }, scope, 1);
      assert.equal(readlinkSync(`/proc/self/fd/${file}`), "/memfd:label (deleted)");
      assertFails(running, { operation: Operation.MEMFD, data: "x".repeat(300) }, "EINVAL");
    });

    it("makes files in memory of any bytes, which are read from their start", async () => {
      using scope = new DescriptorScope();
      await using running = new RunningService(program);
      for (const data of ["", "a\0b\n", "x".repeat(MAX_DATA)]) {
        const [file = -1] = made(running, { operation: Operation.DATA, data }, scope, 1);
        const bytes = Buffer.alloc(MAX_DATA + 1);
        assert.equal(bytes.toString("latin1", 0, readSync(file, bytes)), data);
        assert.equal(fstatSync(file).size, data.length);
      }
    });

    it("looks at files, and at symbolic links or what they lead to", async () => {
      using directory = temporaryDirectory();
      await using running = new RunningService(program);
      const [file, link] = [join(directory.path, "file"), join(directory.path, "link")];
      writeFileSync(file, "text");
      symlinkSync("file", link);
      for (const path of [file, link, directory.path, "/dev/null"]) {
        assert.deepEqual(status(running.call({ operation: Operation.STAT, data: path }).data), statusOf(path, statSync));
        assert.deepEqual(status(running.call({ operation: Operation.LSTAT, data: path }).data), statusOf(path, lstatSync));
      }
      assert.deepEqual(running.call({ operation: Operation.READLINK, data: link }), { result: 0, data: Buffer.from("file") });
      assertFails(running, { operation: Operation.STAT, data: join(file, "below") }, "ENOTDIR");
      assertFails(running, { operation: Operation.LSTAT, data: join(directory.path, "nothing") }, "ENOENT");
      assertFails(running, { operation: Operation.READLINK, data: file }, "EINVAL");
      assertFails(running, { operation: Operation.STAT, data: "x".repeat(MAX_PATH) }, "ENAMETOOLONG");
      assertFails(running, { operation: Operation.STAT, data: "x".repeat(MAX_DATA) }, "ENAMETOOLONG");
    });

    it("says whether a file may be used", async () => {
      await using running = new RunningService(program);
      assert.equal(running.call({ operation: Operation.ACCESS, a: constants.X_OK, data: "/bin/sh" }).result, 0);
      assertFails(running, { operation: Operation.ACCESS, a: constants.X_OK, data: "/etc/passwd" }, "EACCES");
      assertFails(running, { operation: Operation.ACCESS, data: "/nowhere" }, "ENOENT");
      assertFails(running, { operation: Operation.ACCESS, a: 0xffffffff, data: "/" }, "EINVAL");
    });

    it("makes, renames and removes", async () => {
      using directory = temporaryDirectory();
      await using running = new RunningService(program);
      const [one, other] = [join(directory.path, "one"), join(directory.path, "other")];
      const succeeds = (request: RequestWords): void => assert.equal(running.call(request).result, 0);
      succeeds({ operation: Operation.MKDIR, a: 0o700, data: one });
      assert.equal(statSync(one).mode & 0o777, 0o700);
      assertFails(running, { operation: Operation.MKDIR, a: 0o700, data: one }, "EEXIST");
      succeeds({ operation: Operation.RENAME, data: `${one}\0${other}` });
      assert.deepEqual([existsSync(one), existsSync(other)], [false, true]);
      assertFails(running, { operation: Operation.RENAME, data: `${one}\0${other}` }, "ENOENT");
      assertFails(running, { operation: Operation.RENAME, data: `${other}\0` }, "ENOENT");
      assertFails(running, { operation: Operation.UNLINK, data: other }, "EISDIR");
      succeeds({ operation: Operation.RMDIR, data: other });
      writeFileSync(one, "");
      assertFails(running, { operation: Operation.RMDIR, data: one }, "ENOTDIR");
      succeeds({ operation: Operation.UNLINK, data: one });
      assert.deepEqual([existsSync(one), existsSync(other)], [false, false]);
    });

    it("sends signals to processes", async () => {
      await using running = new RunningService(program);
      for (const [number, name] of [[9, "SIGKILL"], [15, "SIGTERM"]] as const) {
        const child = spawn("sleep", ["60"]);
        const ended = once(child, "exit");
        const request = { operation: Operation.KILL, a: child.pid ?? 0, b: number };
        assert.equal(running.call({ ...request, b: 0 }).result, 0);
        assert.equal(running.call(request).result, 0);
        assert.deepEqual(await ended, [null, name]);
        assertFails(running, request, "ESRCH");
      }
      assertFails(running, { operation: Operation.KILL, a: pid, b: 1000 }, "EINVAL");
    });

    it("keeps nothing open after a thousand requests", async () => {
      await using running = new RunningService(program);
      running.call({ operation: Operation.STAT, data: "/" });
      const before = running.descriptorCount;
      for (let request = 0; request < 250; request++) {
        using scope = new DescriptorScope();
        made(running, { operation: Operation.PIPE }, scope, 2);
        made(running, { operation: Operation.OPEN, a: O_PATH, data: "/" }, scope, 1);
        assertFails(running, { operation: Operation.OPEN, data: "/nowhere" }, "ENOENT");
        running.call({ operation: Operation.STAT, data: "/" });
      }
      assert.equal(running.descriptorCount, before);
    });

    it("ends at a request that is malformed, and answers none behind it", async () => {
      const path = { operation: Operation.MKDIR, a: 0o700 };
      const malformed: readonly RequestWords[] = [
        { operation: 0 },
        { operation: 15, data: "/" },
        { operation: 0xffffffff },
        { operation: Operation.STAT, data: "", length: MAX_DATA + 1 },
        { operation: Operation.STAT, data: "", length: 0xffffffff },
        { operation: Operation.STAT, data: "/\0" },
        { operation: Operation.STAT, data: "\0" },
        { operation: Operation.PIPE, data: "/" },
        { operation: Operation.SOCKETPAIR, data: "\0" },
        { operation: Operation.KILL, a: 0x7ffffffe, data: "/" },
        { operation: Operation.KILL, a: 0 },
        { operation: Operation.KILL, a: -1 },
        { operation: Operation.RENAME, data: "/one" },
        { operation: Operation.RENAME, data: "" },
        { operation: Operation.RENAME, data: "/one\0/other\0" },
      ];
      for (const request of malformed) {
        using directory = temporaryDirectory();
        await using running = new RunningService(program);
        const behind = encoded({ ...path, data: join(directory.path, "made") });
        assert.equal(await running.drown(Buffer.concat([encoded(request), behind])), MALFORMED, JSON.stringify(request));
        assert.ok(!existsSync(join(directory.path, "made")));
      }
    });

    it("ends in order whatever bytes come", async () => {
      using directory = temporaryDirectory();
      for (let round = 0; round < 40; round++) {
        await using running = new RunningService(program, directory.path);
        const bytes = round % 2 === 0 ? randomBytes(4096) : Buffer.concat(Array.from({ length: 50 }, randomRequest));
        assert.ok([0, MALFORMED].includes(Number(await running.drown(bytes))), bytes.toString("hex"));
      }
    });

    it("ends with the socket, also within a request", async () => {
      for (const length of [0, 1, 16, 18]) {
        const running = new RunningService(program);
        running.write(encoded({ operation: Operation.STAT, data: "/dev" }).subarray(0, length));
        running.close();
        assert.equal(await running.ended, 0);
      }
    });

    it("ends with its client although somebody else holds the socket, and not by Ctrl-C", async () => {
      using scope = new DescriptorScope();
      const [ours, theirs] = scope.socketPair();
      const shell = spawn("/bin/sh", ["-c", '"$0" 3 & echo $!; wait', program], { stdio: ["ignore", "pipe", "inherit", theirs] });
      assert.ok(shell.stdout !== null);
      const [text] = (await once(shell.stdout, "data")) as [Buffer];
      const started = Number(text.toString());
      const bytes = Buffer.alloc(8 + protocol.STATUS_SIZE);
      writeSync(ours, encoded({ operation: Operation.STAT, data: "/" }));
      assert.equal(readSync(ours, bytes), bytes.length);
      kill(started, "SIGINT");
      writeSync(ours, encoded({ operation: Operation.STAT, data: "/" }));
      assert.equal(readSync(ours, bytes), bytes.length);
      shell.kill("SIGKILL");
      while (existsSync(`/proc/${started}/exe`)) await wait(5);
    });

    it("becomes a program that has the first descriptors only, in the root directory", () => {
      const started = (...words: readonly string[]): { stdout: string; stderr: string; status: number | null } => {
        using scope = new DescriptorScope();
        const file = scope.memoryFile("file");
        const { stdout, stderr, status } = spawnSync(program, ["--exec", ...words], {
          stdio: ["ignore", "pipe", "pipe", file, file, file],
          encoding: "utf8",
        });
        return { stdout, stderr, status };
      };
      // the shell opens no directory for a pattern of its own but while it looks
      const script = 'pwd; for fd in 0 1 2 3 4 5; do [ -e "/proc/$$/fd/$fd" ] && echo "$fd"; done; echo "$1"; exit 7';
      const shell = ["/bin/sh", "-c", script, "sh", "a word"];
      assert.deepEqual(started("4", ...shell), { stdout: "/\n0\n1\n2\n3\na word\n", stderr: "", status: 7 });
      assert.deepEqual(started("5", ...shell), { stdout: "/\n0\n1\n2\n3\n4\na word\n", stderr: "", status: 7 });
      for (const words of [["4", "/etc/passwd"], ["2", ...shell], ["4097", ...shell], ["4x", ...shell]]) {
        const { stdout, stderr, status } = started(...words);
        assert.deepEqual({ stdout, status }, { stdout: "", status: USAGE });
        assert.match(stderr, /^gio-sandbox-calls: .*\n$/);
      }
    });

    it("is started with a socket, or says how", () => {
      const { status: code, stderr } = spawnSync(program, ["--help"], { encoding: "utf8" });
      assert.equal(code, USAGE);
      assert.match(stderr, /^Usage: gio-sandbox-calls SOCKET_FD\n/);
      for (const words of [[], ["3", "4"], [""], ["-1"], ["2"], ["3"], ["3x"], ["99999999999"]]) {
        assert.equal(spawnSync(program, words).status, USAGE, words.join(" "));
      }
    });
  });
}

/** One that may be right, but leads nowhere outside of the working directory. */
function randomRequest(): Buffer {
  const data = randomBytes(randomInt(12)).map((byte) => (byte === 0x2f || (byte === 0 && randomInt(8) > 0) ? 0x61 : byte));
  return encoded({ operation: randomInt(1, 13), a: randomInt(2 ** 32), b: randomInt(2 ** 32), data });
}
