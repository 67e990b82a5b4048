import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { DescriptorScope } from "../../src/node/descriptor-scope.js";
import type { HelperProcess } from "../../src/node/helper-process.js";
import { startHelperProcess } from "../../src/node/helper-process.js";
import { processCalls } from "../../src/node/process-calls.js";
import { SystemCallFailure, systemCalls } from "../../src/node/system-calls.js";
import { childProcesses, openDescriptors, temporaryDirectory, until } from "./gsubprocess/children.js";

/** Runs a script of the shell to its end, with these descriptors. @returns its status, and what it wrote to `output` */
async function run(script: string, descriptors: readonly (number | null)[]): Promise<number | null> {
  const { exitCode } = await startHelperProcess("/bin/sh", ["-c", script], descriptors).ended;
  return exitCode;
}

describe("a helper program", () => {
  before(() => {
    systemCalls();
    assert.ok(processCalls() !== null, "it is posix_spawn() that starts it here");
  });

  it("has the descriptors that it is given, whatever numbers they have here", async () => {
    using directory = temporaryDirectory();
    using scope = new DescriptorScope();
    const files = Array.from({ length: 12 }, (_, index) => scope.own(openSync(join(directory.path, String(index)), "w")));
    const descriptors = [null, files[11] ?? -1, null, ...[...files.slice(0, 11)].reverse(), files[0] ?? -1];
    const before = openDescriptors().length;
    assert.equal(await run("for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do readlink /proc/$$/fd/$fd; done; echo >&8 well", descriptors), 0);
    assert.ok(openDescriptors().length <= before);
    const seen = readFileSync(join(directory.path, "11"), "latin1").trim().split("\n");
    const expected = ["/dev/null", 11, "/dev/null", 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0].map((name) =>
      typeof name === "string" ? name : join(directory.path, String(name)),
    );
    assert.deepEqual(seen, expected);
    assert.equal(readFileSync(join(directory.path, "5"), "latin1"), "well\n");
  });

  it("begins in the root directory, without a variable, and with no signal blocked or ignored but the C library's own", async () => {
    using directory = temporaryDirectory();
    using scope = new DescriptorScope();
    const path = join(directory.path, "output");
    const output = scope.own(openSync(path, "w"));
    const helper = startHelperProcess("/usr/bin/env", [], [null, output, output]);
    assert.deepEqual(await helper.ended, { exitCode: 0, signal: null });
    assert.equal(readFileSync(path, "latin1"), "");
    assert.deepEqual(await startHelperProcess("/bin/pwd", [], [null, output, output]).ended, { exitCode: 0, signal: null });
    assert.equal(readFileSync(path, "latin1"), "/\n");
    writeFileSync(path, "");
    await startHelperProcess("/bin/grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"], [null, output, output]).ended;
    // which glibc has ignored: 32 and 33
    const lines = readFileSync(path, "latin1").replaceAll("\0", "");
    assert.match(lines, /SigBlk:\t0{16}\nSigIgn:\t0{7}[01][08]0{7}\n$/);
  });

  it("that cannot be started says why", async () => {
    const helper = startHelperProcess("/there/is/no/such/program", [], [null, null, null]);
    assert.equal(helper.pid, null);
    await assert.rejects(helper.ended, (error) => error instanceof SystemCallFailure && error.errno === "ENOENT");
    await assert.rejects(run("true", [12_345]), (error) => error instanceof SystemCallFailure && error.errno === "EBADF");
  });

  it("says how it ended, and leaves no zombie", async () => {
    const helpers = ["exit 7", "kill -9 $$", "kill -31 $$", "exit 0"].map((script) =>
      startHelperProcess("/bin/sh", ["-c", script], [null, null, null]),
    );
    assert.deepEqual(await Promise.all(helpers.map(({ ended }) => ended)), [
      { exitCode: 7, signal: null },
      { exitCode: null, signal: "SIGKILL" },
      { exitCode: null, signal: "SIGSYS" },
      { exitCode: 0, signal: null },
    ]);
    assert.deepEqual(childProcesses(), []);
  });

  it("is noticed to have ended although somebody has taken the signal's handlers away", async () => {
    await run("true", [null, null, null]);
    const handlers = process.listeners("SIGCHLD");
    process.removeAllListeners("SIGCHLD");
    try {
      assert.equal(await run("exit 3", [null, null, null]), 3);
    } finally {
      for (const handler of handlers) process.on("SIGCHLD", handler as () => void);
    }
  });

  it("keeps the program alive until it is not referenced any more", () => {
    const module = (name: string): string => new URL(`../../dist/node/${name}.js`, import.meta.url).href;
    const script = (seconds: string, then: string): string => `
      const { writeSync } = await import("node:fs");
      const { systemCalls } = await import("${module("system-calls")}");
      const { startHelperProcess } = await import("${module("helper-process")}");
      systemCalls();
      const helper = startHelperProcess("/bin/sleep", ["${seconds}"], [null, null, null]);
      ${then}
      const say = (word) => writeSync(1, word + "\\n");
      process.on("exit", () => say("exit"));
      helper.ended.then(() => say("ended"));`;
    const outputOf = (code: string): string => spawnSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" }).stdout;
    assert.match(outputOf(script("0.3", "")), /^ended\nexit\n$/);
    assert.match(outputOf(script("0.3", "helper.unref(); helper.ref();")), /^ended\nexit\n$/);
    assert.match(outputOf(script("3", "helper.unref();")), /^exit\n$/);
  });

  it("is a child of Node's in a worker thread, which no signal reaches", async () => {
    const script = `
      import("tsx/esm/api").then(async ({ register }) => {
        register();
        const { parentPort, workerData } = require("node:worker_threads");
        const { systemCalls } = await import(workerData + "system-calls.ts");
        const { processCalls } = await import(workerData + "process-calls.ts");
        const { startHelperProcess } = await import(workerData + "helper-process.ts");
        systemCalls();
        const end = await startHelperProcess("/bin/sh", ["-c", "exit 9"], [null, null, null]).ended;
        parentPort.postMessage([processCalls(), end.exitCode]);
      });`;
    const worker = new Worker(script, { eval: true, workerData: new URL("../../src/node/", import.meta.url).href });
    const message = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    assert.deepEqual(message, [null, 9]);
    await worker.terminate();
  });

  it("can be one of many at once", async () => {
    const helpers: HelperProcess[] = Array.from({ length: 100 }, (_, index) =>
      startHelperProcess("/bin/sh", ["-c", `exit ${index}`], [null, null, null]),
    );
    const ends = await Promise.all(helpers.map(({ ended }) => ended));
    assert.deepEqual(ends, ends.map((_, exitCode) => ({ exitCode, signal: null })));
    await until(() => childProcesses().length === 0);
  });
});
