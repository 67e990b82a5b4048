/** The twins of GLib's own tests of GSubprocess (gio/tests/gsubprocess.c), by their names. */
import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { SandboxSubprocess, SandboxSubprocessLauncher } from "../../../src/node/index.js";
import { ErrorDomain, GLibError, IOErrorEnum, SpawnError, SubprocessFlags } from "../../../src/node/index.js";
import { childDirectories } from "../../../src/node/child-directories.js";
import { fixtureLauncher, fixturePermissions, newPipe, openDescriptors, temporaryDirectory, testprog } from "./children.js";

const F = SubprocessFlags;

function spawn(flags: number, ...args: string[]): Promise<SandboxSubprocess> {
  return fixtureLauncher(flags).spawnvAsync([testprog, ...args]);
}

function isError(domain: string, code: number): (error: unknown) => boolean {
  return (error) => error instanceof GLibError && error.matches(domain, code);
}

const isCancelled = isError(ErrorDomain.IO, IOErrorEnum.CANCELLED);

async function readAll(stream: AsyncIterable<Buffer> | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function readPipe(descriptor: number): string {
  const buffer = Buffer.alloc(4096);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, null)).toString("latin1");
}

describe("/gsubprocess", () => {
  it("noop: a program that does nothing succeeds", async () => {
    const child = await spawn(0, "noop");
    assert.equal(await child.waitCheckAsync(), true);
    assert.equal(child.getSuccessful(), true);
  });

  it("noop-all-to-null: so it does with its output silenced", async () => {
    const child = await spawn(F.STDOUT_SILENCE | F.STDERR_SILENCE, "noop");
    assert.equal(await child.waitCheckAsync(), true);
  });

  it("noop-no-wait: a child that nobody waits for ends by itself", async () => {
    const before = openDescriptors();
    await spawn(0, "noop");
    while (openDescriptors().length > before.length) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it("noop-stdin-inherit: a child can have the parent's standard input", async () => {
    const child = await spawn(F.STDIN_INHERIT, "noop");
    assert.equal(await child.waitCheckAsync(), true);
  });

  it("search-path: a program without a slash is looked up in the sandbox's PATH", async () => {
    const child = await fixtureLauncher().spawnvAsync(["true"]);
    assert.equal(await child.waitCheckAsync(), true);
  });

  it("search-path-from-envp: or in the launcher's PATH, if the flag says so", async () => {
    const launcher = fixtureLauncher(F.SEARCH_PATH_FROM_ENVP);
    launcher.setenv("PATH", join(testprog, ".."), true);
    const child = await launcher.spawnvAsync(["testprog", "exit1"]);
    await assert.rejects(child.waitCheckAsync(), isError(ErrorDomain.SPAWN_EXIT, 1));
  });

  it("signal: a child that a signal ends is told from one that exits", async () => {
    const child = await spawn(0, "sleep-forever");
    const waiting = child.waitAsync();
    child.sendSignal(9);
    await waiting;
    assert.equal(child.getIfExited(), false);
    assert.equal(child.getIfSignaled(), true);
    assert.equal(child.getTermSig(), 9);
    await assert.rejects(child.waitCheckAsync(), {
      domain: ErrorDomain.SPAWN,
      code: SpawnError.FAILED,
      message: "Child process killed by signal 9",
    });
  });

  it("exit1: an exit status above 0 is an error with that code", async () => {
    const child = await spawn(0, "exit1");
    await assert.rejects(child.waitCheckAsync(), {
      domain: ErrorDomain.SPAWN_EXIT,
      code: 1,
      message: "Child process exited with code 1",
    });
  });

  it("exit1/cancel: cancelled after the exit and before the completion is cancelled", async () => {
    const child = await spawn(0, "exit1");
    const abort = new AbortController();
    const first = child.waitCheckAsync().catch((error: unknown) => {
      abort.abort();
      return error;
    });
    const second = child.waitCheckAsync(abort.signal);
    await Promise.all([
      assert.rejects(second, isCancelled),
      first.then((error) => assert.ok(isError(ErrorDomain.SPAWN_EXIT, 1)(error))),
    ]);
  });

  it("exit1/cancel_in_cb: cancelled after the completion changes nothing", async () => {
    const child = await spawn(0, "exit1");
    const abort = new AbortController();
    let completions = 0;
    await child.waitCheckAsync(abort.signal).catch((error: unknown) => {
      completions++;
      abort.abort();
      assert.ok(isError(ErrorDomain.SPAWN_EXIT, 1)(error));
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(completions, 1);
  });

  it("echo1: the pipe has all that the child prints", async () => {
    const child = await spawn(F.STDOUT_PIPE, "echo", "hello", "world!");
    assert.equal(await readAll(child.getStdoutPipe()), "hello\nworld!\n");
    await child.waitCheckAsync();
  });

  it("echo-merged: standard error goes where standard output goes, in order", async () => {
    const child = await spawn(F.STDOUT_PIPE | F.STDERR_MERGE, "echo-stdout-and-stderr", "merge", "this");
    assert.equal(child.getStderrPipe(), null);
    assert.equal(await readAll(child.getStdoutPipe()), "merge\nmerge\nthis\nthis\n");
    await child.waitCheckAsync();
  });

  it("cat-utf8: text goes in and comes out", async () => {
    const child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const text = "hello, wörl…\n";
    child.getStdinPipe()?.end(text);
    assert.equal(await readAll(child.getStdoutPipe()), text);
    await child.waitCheckAsync();
  });

  it("cat-eof: nothing comes before the input, and the end of the input ends the child", async () => {
    const child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const stdout = child.getStdoutPipe();
    let ended = false;
    stdout?.on("end", () => (ended = true)).resume();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(ended, false);
    child.getStdinPipe()?.end();
    await once(stdout ?? assert.fail(), "end");
    await child.waitAsync();
    assert.equal(child.getIfExited(), true);
    assert.equal(child.getExitStatus(), 0);
  });

  it("multi1: one launcher starts three children, chained by their pipes", async () => {
    const launcher = fixtureLauncher(F.STDIN_PIPE | F.STDOUT_PIPE);
    const children = await Promise.all([1, 2, 3].map(() => launcher.spawnvAsync([testprog, "cat"])));
    const [first, second, third] = children;
    const text = "hello there my friend\n".repeat(2047);
    first?.getStdinPipe()?.end(text);
    const chain = [
      pipeline(first?.getStdoutPipe() ?? [], second?.getStdinPipe() ?? assert.fail()),
      pipeline(second?.getStdoutPipe() ?? [], third?.getStdinPipe() ?? assert.fail()),
    ];
    assert.equal(await readAll(third?.getStdoutPipe() ?? null), text);
    await Promise.all([...chain, ...children.map((child) => child.waitCheckAsync())]);
  });

  const flagSets: readonly (readonly [string, number])[] = [
    ["", F.STDOUT_PIPE | F.STDERR_MERGE],
    ["/no-pipes", 0],
    ["/separate-stderr", F.STDOUT_PIPE | F.STDERR_PIPE],
    ["/stdout-only", F.STDOUT_PIPE],
    ["/stderr-only", F.STDERR_PIPE],
    ["/stdout-silence", F.STDOUT_SILENCE],
  ];
  const text = "# hello world\n";
  // GLib has blocking forms besides; on Node only the others exist, so its two tests of each case are one here.
  for (const [name, flags] of flagSets) {
    const hasStdout = (flags & F.STDOUT_PIPE) !== 0;
    const hasStderr = (flags & F.STDERR_PIPE) !== 0;
    const args = hasStdout || (flags & F.STDOUT_SILENCE) !== 0 ? ["cat"] : ["noop"];

    it(`communicate${name}, communicate/async${name}: input goes in, and what is a pipe comes out`, async () => {
      const child = await spawn(F.STDIN_PIPE | flags, ...args);
      const input = args[0] === "cat" ? text : "";
      const [stdout, stderr] = await child.communicateAsync(Buffer.from(input));
      assert.deepEqual(stdout && Buffer.from(stdout).toString(), hasStdout ? text : null);
      assert.deepEqual(stderr && Buffer.from(stderr).toString(), hasStderr ? "" : null);
      assert.equal(child.getSuccessful(), true);
    });

    it(`communicate/utf8${name}, communicate/utf8/async${name}: so does text`, async () => {
      const child = await spawn(F.STDIN_PIPE | flags, ...args);
      const [stdout, stderr] = await child.communicateUtf8Async(args[0] === "cat" ? text : "");
      assert.equal(stdout, hasStdout ? text : null);
      assert.equal(stderr, hasStderr ? "" : null);
      assert.equal(child.getSuccessful(), true);
    });

    it(`communicate/cancelled${name}, communicate/utf8/cancelled${name}: cancelled before is cancelled`, async () => {
      const child = await spawn(F.STDIN_PIPE | flags, ...args);
      await assert.rejects(child.communicateAsync(Buffer.from(text), AbortSignal.abort()), isCancelled);
      await assert.rejects(child.communicateUtf8Async(text, AbortSignal.abort()), isCancelled);
      child.getStdinPipe()?.end();
      await child.waitCheckAsync();
    });

    it(`communicate/async/cancelled${name}: cancelled right after the start is cancelled, and no signal`, async () => {
      const child = await spawn(F.STDIN_PIPE | flags, ...args);
      const abort = new AbortController();
      const output = child.communicateAsync(Buffer.from(text), abort.signal);
      abort.abort();
      await assert.rejects(output, isCancelled);
      await child.waitAsync();
    });

    it(`communicate/utf8/async/cancelled${name}: the same with text`, async () => {
      const child = await spawn(F.STDIN_PIPE | flags, ...args);
      const abort = new AbortController();
      const output = child.communicateUtf8Async(text, abort.signal);
      abort.abort();
      await assert.rejects(output, isCancelled);
      await child.waitAsync();
    });
  }

  for (const name of ["communicate/utf8/invalid", "communicate/utf8/async/invalid"]) {
    it(`${name}: output that is no UTF-8 is an error`, async () => {
      const child = await spawn(F.STDOUT_PIPE, "print-bytes", "61", "ff", "ff");
      await assert.rejects(child.communicateUtf8Async(null), {
        domain: ErrorDomain.IO,
        code: IOErrorEnum.FAILED,
        message: "Invalid UTF-8 in child stdout at offset 1",
      });
    });
  }

  it("communicate/nothing: no output is an empty string, not null", async () => {
    const child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE | F.STDERR_PIPE, "cat");
    const [stdout] = await child.communicateUtf8Async("");
    assert.equal(stdout, "");
    assert.equal(child.getSuccessful(), true);
  });

  it("terminate: a child has an identifier until it is forced to exit", async () => {
    const child = await spawn(0, "sleep-forever");
    assert.match(child.getIdentifier() ?? "", /^[1-9][0-9]*$/);
    child.forceExit();
    await child.waitAsync();
    assert.equal(child.getIfSignaled(), true);
    assert.equal(child.getTermSig(), 9);
    assert.equal(child.getIdentifier(), null);
  });

  it("fail-initialization: a program that is not there is NOENT", async () => {
    await assert.rejects(fixtureLauncher().spawnvAsync(["/does/not/exist"]), {
      domain: ErrorDomain.SPAWN,
      code: SpawnError.NOENT,
      message: "Failed to execute child process “/does/not/exist” (No such file or directory)",
    });
  });

  async function environmentOf(launcher: SandboxSubprocessLauncher): Promise<string[]> {
    const child = await launcher.spawnvAsync([testprog, "env"]);
    const [output] = await child.communicateUtf8Async(null);
    return (output ?? "").trimEnd().split("\n");
  }

  it("env: a child has the variables that were set", async () => {
    const launcher = fixtureLauncher(F.STDOUT_PIPE);
    launcher.setEnviron(["ONE=1", "TWO=1", "THREE=3", "FOUR=1"]);
    launcher.setenv("TWO", "2", true);
    launcher.setenv("THREE", "1", false);
    launcher.unsetenv("FOUR");
    assert.equal(launcher.getenv("FOUR"), null);
    assert.deepEqual((await environmentOf(launcher)).sort(), ["ONE=1", "THREE=3", "TWO=2"]);
  });

  it("env/inherit: null is the parent's environment", async () => {
    process.env["GIO_SANDBOX_TEST_VARIABLE"] = "parent's";
    try {
      const launcher = fixtureLauncher(F.STDOUT_PIPE);
      launcher.setEnviron(null);
      launcher.setenv("TWO", "2", true);
      const environment = await environmentOf(launcher);
      assert.ok(environment.includes("GIO_SANDBOX_TEST_VARIABLE=parent's"));
      assert.ok(environment.includes("TWO=2"));
    } finally {
      delete process.env["GIO_SANDBOX_TEST_VARIABLE"];
    }
  });

  it("launcher-environment: without it, the parent's variables stay outside", async () => {
    process.env["GIO_SANDBOX_TEST_VARIABLE"] = "parent's";
    try {
      const launcher = fixtureLauncher(F.STDOUT_PIPE);
      assert.equal(launcher.getenv("GIO_SANDBOX_TEST_VARIABLE"), null);
      launcher.setenv("A", "b", true);
      const environment = await environmentOf(launcher);
      assert.ok(!environment.some((entry) => entry.startsWith("GIO_SANDBOX_TEST_VARIABLE=")));
      assert.ok(environment.includes("A=b"));
      assert.ok(environment.includes(`HOME=${childDirectories().home}`));
    } finally {
      delete process.env["GIO_SANDBOX_TEST_VARIABLE"];
    }
  });

  it("cwd: a child starts in the directory that was set", async () => {
    const launcher = fixtureLauncher(F.STDOUT_PIPE);
    launcher.setCwd("/tmp");
    const child = await launcher.spawnvAsync([testprog, "cwd"]);
    const [output] = await child.communicateUtf8Async(null);
    assert.equal(basename((output ?? "").trim()), "tmp");
  });

  it("launcher-close: closing it closes what it took, and ends its launching", async () => {
    const launcher = fixtureLauncher();
    const [reading, writing] = await newPipe();
    launcher.takeFd(reading, writing);
    launcher.close();
    assert.throws(() => fstatSync(reading), { code: "EBADF" });
    assert.ok(fstatSync(writing).isFIFO());
    closeSync(writing);
    await assert.rejects(launcher.spawnvAsync([testprog, "noop"]), {
      domain: ErrorDomain.IO,
      code: IOErrorEnum.CLOSED,
      message: "Can't spawn a new child because a passed file descriptor has been closed.",
    });
  });

  it("stdout-file: standard output can be a file of the host, which the parent opens", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "out");
    const launcher = fixtureLauncher(F.STDIN_PIPE);
    launcher.setStdoutFilePath(path);
    const child = await launcher.spawnvAsync([testprog, "cat"]);
    await child.communicateUtf8Async(text);
    assert.equal(readFileSync(path, "utf8"), text);
  });

  it("stdout-fd: standard output can be a descriptor", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "out");
    using launcher = fixtureLauncher(F.STDIN_PIPE);
    launcher.takeStdoutFd(openSync(path, "w"));
    const child = await launcher.spawnvAsync([testprog, "cat"]);
    await child.communicateUtf8Async(text);
    assert.equal(readFileSync(path, "utf8"), text);
  });

  for (const [name, flags] of [
    ["basic", 0],
    ["inherit-fds", F.INHERIT_FDS],
  ] as const) {
    it(`pass-fd/${name}: a child gets descriptors, at the same number and at another`, async () => {
      using launcher = fixtureLauncher(flags);
      const [readingOne, writingOne] = await newPipe();
      const [readingTwo, writingTwo] = await newPipe();
      const other = writingTwo + 1;
      launcher.takeFd(writingOne, writingOne);
      launcher.takeFd(writingTwo, other);
      const child = await launcher.spawnvAsync([testprog, "write-to-fds", String(writingOne), String(other)]);
      await child.waitCheckAsync();
      assert.equal(readPipe(readingOne), "hello world\n\0");
      assert.equal(readPipe(readingTwo), "hello world\n\0");
      closeSync(readingOne);
      closeSync(readingTwo);
    });
  }

  it("fd-conflation/basic: mappings do not overwrite each other's sources", async () => {
    using launcher = fixtureLauncher();
    using directory = temporaryDirectory();
    const path = join(directory.path, "in");
    writeFileSync(path, "Yay success!\0");
    const source = openSync(path, "r");
    const other = openSync(path, "r");
    launcher.takeFd(openSync("/dev/null", "r"), source);
    launcher.takeFd(source, 9);
    launcher.takeFd(other, 7);
    const child = await launcher.spawnvAsync([testprog, "read-from-fd", "9"]);
    await child.waitCheckAsync();
  });
});

describe("permissions of the fixtures", () => {
  it("are for reading only", () => {
    assert.ok(fixturePermissions().snapshot().filesystems.every(({ mode }) => mode === "ro"));
  });
});
