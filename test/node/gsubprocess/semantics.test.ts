/** What GSubprocess does and GLib's own tests do not look at, and what is ours alone. */
import assert from "node:assert/strict";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import { join } from "node:path";
import type { GioCancellable, SandboxSubprocess } from "../../../src/node/index.js";
import {
  ErrorDomain,
  GLibError,
  IOErrorEnum,
  SandboxError,
  SandboxPermissions,
  SandboxSubprocess as Subprocess,
  SandboxSubprocessLauncher,
  SpawnError,
  SubprocessFlags,
} from "../../../src/node/index.js";
import { isOpen } from "../../../src/node/plain-descriptors.js";
import { childProcesses, fixtureLauncher, newPipe, openDescriptors, temporaryDirectory, testprog, until } from "./children.js";

const F = SubprocessFlags;

function spawn(flags: number, ...args: string[]): Promise<SandboxSubprocess> {
  return fixtureLauncher(flags).spawnvAsync([testprog, ...args]);
}

function shell(flags: number, script: string): Promise<SandboxSubprocess> {
  return fixtureLauncher(flags).spawnvAsync(["sh", "-c", script]);
}

function isError(domain: string, code: number): (error: unknown) => boolean {
  return (error) => error instanceof GLibError && error.matches(domain, code);
}

describe("the status of a child", () => {
  it("is exact for every exit status", async () => {
    for (const code of [0, 1, 2, 125, 126, 127, 128, 129, 137, 143, 255]) {
      const child = await spawn(0, "exit", String(code));
      await child.waitAsync();
      assert.equal(child.getIfExited(), true);
      assert.equal(child.getIfSignaled(), false);
      assert.equal(child.getExitStatus(), code);
      assert.equal(child.getStatus(), code << 8);
      assert.equal(child.getSuccessful(), code === 0);
      assert.throws(() => child.getTermSig(), TypeError);
    }
  });

  it("is exact for every signal that ends a process", async () => {
    for (const signal of [1, 2, 3, 6, 9, 10, 11, 12, 13, 14, 15, 31, 64]) {
      const child = await spawn(0, "kill-self", String(signal));
      await child.waitAsync();
      assert.equal(child.getIfSignaled(), true, `signal ${signal}`);
      assert.equal(child.getTermSig(), signal);
      assert.throws(() => child.getExitStatus(), TypeError);
    }
  });

  it("cannot be asked for before the end", async () => {
    await using child = await spawn(0, "sleep-forever");
    for (const get of [
      () => child.getStatus(),
      () => child.getSuccessful(),
      () => child.getIfExited(),
      () => child.getExitStatus(),
      () => child.getIfSignaled(),
      () => child.getTermSig(),
      () => child.getResourceUsage(),
    ]) {
      assert.throws(get, TypeError);
    }
  });

  it("comes with what the child used", async () => {
    const child = await shell(0, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    await child.waitAsync();
    const usage = child.getResourceUsage() ?? assert.fail();
    assert.ok(usage.userMicroseconds > 1000 && usage.userMicroseconds < 20_000_000);
    assert.ok(usage.wallMicroseconds >= usage.userMicroseconds);
    assert.ok(usage.maximumResidentKibibytes > 100);
  });

  it("is there without any call to wait", async () => {
    const child = await spawn(0, "exit", "3");
    await until(() => {
      try {
        return child.getExitStatus() === 3;
      } catch {
        return false;
      }
    });
    assert.equal(child.getIdentifier(), null);
  });
});

describe("waiting", () => {
  it("ends for each who waits, although another cancels", async () => {
    const child = await spawn(F.STDIN_PIPE, "cat");
    const abort = new AbortController();
    const [first, second, third] = [child.waitAsync(), child.waitAsync(abort.signal), child.waitCheckAsync()];
    abort.abort();
    await assert.rejects(second, isError(ErrorDomain.IO, IOErrorEnum.CANCELLED));
    assert.ok(child.getIdentifier() !== null, "cancelling does not touch the child");
    child.getStdinPipe()?.end();
    assert.deepEqual(await Promise.all([first, third]), [true, true]);
  });

  it("tells those who wait in the order in which they came", async () => {
    const child = await spawn(F.STDIN_PIPE, "cat");
    const order: number[] = [];
    const waits = [0, 1, 2, 3].map((number) => child.waitAsync().then(() => order.push(number)));
    child.getStdinPipe()?.end();
    await Promise.all(waits);
    assert.deepEqual(order, [0, 1, 2, 3]);
  });

  it("is cancelled by a signal that was aborted already, also after the end", async () => {
    const child = await spawn(0, "noop");
    await child.waitAsync();
    await assert.rejects(child.waitAsync(AbortSignal.abort()), isError(ErrorDomain.IO, IOErrorEnum.CANCELLED));
    assert.equal(await child.waitAsync(), true);
  });

  it("is not ended by a child that stops", async () => {
    await using child = await shell(0, "kill -STOP $$; exit 5");
    const state = (): string => {
      const stat = readFileSync(`/proc/${child.getIdentifier() ?? ""}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    };
    await until(() => state() === "T");
    child.sendSignal(18);
    await child.waitAsync();
    assert.equal(child.getExitStatus(), 5);
  });

  it("leaves no listener on the signal", async () => {
    const added: string[] = [];
    const controller = new AbortController();
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      added.push("+");
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      added.push("-");
      remove(...args);
    };
    const child = await fixtureLauncher(F.STDOUT_PIPE).spawnvAsync([testprog, "noop"], signal);
    await child.waitAsync(signal);
    await child.communicateAsync(null, signal);
    assert.equal(added.filter((what) => what === "+").length, added.filter((what) => what === "-").length);
    assert.ok(added.length >= 6);
  });
});

/** An object with the face of node-gtk's Gio.Cancellable. */
class FakeCancellable implements GioCancellable {
  #isCancelled = false;
  readonly #callbacks = new Map<bigint, () => void>();
  #last = 0n;

  get connections(): number {
    return this.#callbacks.size;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#callbacks.forEach((callback) => callback());
  }

  isCancelled(): boolean {
    return this.#isCancelled;
  }

  connect(callback: () => void): bigint {
    if (this.#isCancelled) {
      callback();
      return 0n;
    }
    this.#callbacks.set(++this.#last, callback);
    return this.#last;
  }

  disconnect(id: number | bigint): void {
    this.#callbacks.delete(BigInt(id));
  }
}

describe("a Gio.Cancellable of node-gtk's", () => {
  it("cancels every operation as an AbortSignal does", async () => {
    const before = new FakeCancellable();
    before.cancel();
    const cancelled = isError(ErrorDomain.IO, IOErrorEnum.CANCELLED);
    await assert.rejects(fixtureLauncher().spawnvAsync([testprog, "noop"], before), cancelled);
    await using child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    await assert.rejects(child.waitAsync(before), cancelled);
    await assert.rejects(child.waitCheckAsync(before), cancelled);
    await assert.rejects(child.communicateAsync(null, before), cancelled);
    const later = new FakeCancellable();
    const waiting = child.waitAsync(later);
    later.cancel();
    await assert.rejects(waiting, cancelled);
  });

  it("is let go of in the end", async () => {
    const cancellable = new FakeCancellable();
    const child = await fixtureLauncher(F.STDOUT_PIPE).spawnvAsync([testprog, "noop"], cancellable);
    await child.communicateAsync(null, cancellable);
    await child.waitAsync(cancellable);
    assert.equal(cancellable.connections, 0);
  });
});

describe("cancelling a launch", () => {
  it("leaves no process and no descriptor, whenever it comes", async () => {
    await (await spawn(0, "noop")).waitAsync();
    await until(() => childProcesses().length === 0);
    const before = openDescriptors().length;
    let cancelled = 0;
    for (let delay = 0; delay < 12; delay += 0.5) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), delay);
      try {
        const child = await fixtureLauncher(F.STDOUT_PIPE).spawnvAsync([testprog, "sleep-forever"], abort.signal);
        await child[Symbol.asyncDispose]();
      } catch (error) {
        assert.ok(isError(ErrorDomain.IO, IOErrorEnum.CANCELLED)(error), String(error));
        cancelled++;
      }
      clearTimeout(timer);
    }
    assert.ok(cancelled > 0);
    assert.deepEqual(childProcesses(), []);
    await until(() => openDescriptors().length <= before);
  });
});

describe("communicating", () => {
  it("moves a megabyte through both pipes", async () => {
    const child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const input = Buffer.alloc(1 << 20, "0123456789abcdef");
    const [stdout] = await child.communicateAsync(input);
    assert.ok(input.equals(stdout ?? assert.fail()));
  });

  it("takes null for no input", async () => {
    const child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    assert.deepEqual(await child.communicateUtf8Async(null), ["", null]);
  });

  it("is a TypeError with input and without a pipe for it", async () => {
    const child = await spawn(F.STDOUT_PIPE, "noop");
    await assert.rejects(child.communicateUtf8Async("x"), TypeError);
    await child.waitAsync();
  });

  it("fails when the child closes its input early, as a broken pipe", async () => {
    const child = await shell(F.STDIN_PIPE | F.STDOUT_PIPE, "exec <&-; echo out; sleep 0.2");
    await assert.rejects(child.communicateAsync(Buffer.alloc(1 << 20)), {
      domain: ErrorDomain.IO,
      code: IOErrorEnum.BROKEN_PIPE,
      message: "Error writing to file descriptor: Broken pipe",
    });
    await child.waitAsync();
  });

  it("is possible once", async () => {
    const child = await spawn(F.STDOUT_PIPE, "echo", "x");
    assert.deepEqual(await child.communicateUtf8Async(null), ["x\n", null]);
    await assert.rejects(child.communicateUtf8Async(null), {
      domain: ErrorDomain.IO,
      code: IOErrorEnum.CLOSED,
      message: "Source stream is already closed",
    });
  });

  it("is not possible twice at the same time", async () => {
    const child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const first = child.communicateUtf8Async("x");
    await assert.rejects(child.communicateUtf8Async("y"), isError(ErrorDomain.IO, IOErrorEnum.PENDING));
    assert.deepEqual(await first, ["x", null]);
  });

  it("gives text up to the first NUL, and bytes whole", async () => {
    const args = ["print-bytes", "61", "62", "0", "63", "ff"];
    assert.deepEqual(await (await spawn(F.STDOUT_PIPE, ...args)).communicateUtf8Async(null), ["ab", null]);
    const [bytes] = await (await spawn(F.STDOUT_PIPE, ...args)).communicateAsync(null);
    assert.deepEqual([...(bytes ?? [])], [0x61, 0x62, 0, 0x63, 0xff]);
  });

  it("says at which byte text stops being UTF-8, of standard output first", async () => {
    const bad: readonly [string, number][] = [
      ["c3 a4 c3", 2],
      ["e0 80 80", 0],
      ["61 ed a0 80", 1],
      ["f4 90 80 80", 0],
      ["e2 82 ac f0 9f 98", 3],
    ];
    for (const [bytes, offset] of bad) {
      const child = await spawn(F.STDOUT_PIPE, "print-bytes", ...bytes.split(" "));
      await assert.rejects(child.communicateUtf8Async(null), {
        message: `Invalid UTF-8 in child stdout at offset ${offset}`,
      });
    }
    const both = await shell(F.STDOUT_PIPE | F.STDERR_PIPE, "printf 'a\\377'; printf '\\377' >&2");
    await assert.rejects(both.communicateUtf8Async(null), { message: "Invalid UTF-8 in child stdout at offset 1" });
    const stderr = await shell(F.STDOUT_PIPE | F.STDERR_PIPE, "printf '\\377' >&2");
    await assert.rejects(stderr.communicateUtf8Async(null), { message: "Invalid UTF-8 in child stderr at offset 0" });
  });

  it("waits for a grandchild that holds the pipe", async () => {
    const child = await shell(F.STDOUT_PIPE, "(sleep 0.5; echo late) & echo early");
    const start = performance.now();
    assert.deepEqual(await child.communicateUtf8Async(null), ["early\nlate\n", null]);
    assert.ok(performance.now() - start > 400);
  });

  it("that is cancelled closes the pipes and leaves the child", async () => {
    await using child = await shell(F.STDIN_PIPE | F.STDOUT_PIPE, "cat; sleep 100");
    const abort = new AbortController();
    const output = child.communicateUtf8Async("x", abort.signal);
    abort.abort();
    await assert.rejects(output, isError(ErrorDomain.IO, IOErrorEnum.CANCELLED));
    assert.equal(child.getStdoutPipe()?.destroyed, true);
    assert.ok(child.getIdentifier() !== null);
  });

  it("stops at the launcher's maximum", async () => {
    const launcher = fixtureLauncher(F.STDOUT_PIPE);
    launcher.maximumOutput = 100_000;
    await using child = await launcher.spawnvAsync(["cat", "/dev/zero"]);
    await assert.rejects(child.communicateAsync(null), isError(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED));
    await child.waitAsync();
    assert.equal(child.getTermSig(), 13);
  });
});

describe("the standard streams of a child", () => {
  it("are real pipes, which it can open again by name", async () => {
    const child = await shell(F.STDIN_PIPE | F.STDOUT_PIPE | F.STDERR_PIPE, "cat /dev/stdin >/dev/stdout; echo e >/dev/stderr");
    assert.deepEqual(await child.communicateUtf8Async("in"), ["in", "e\n"]);
  });

  it("are the same objects each time", async () => {
    await using child = await spawn(F.STDIN_PIPE | F.STDOUT_PIPE | F.STDERR_PIPE, "cat");
    assert.ok(child.getStdinPipe() !== null && child.getStdinPipe() === child.getStdinPipe());
    assert.ok(child.getStdoutPipe() !== null && child.getStdoutPipe() === child.getStdoutPipe());
    assert.ok(child.getStderrPipe() !== null && child.getStderrPipe() === child.getStderrPipe());
  });

  it("are /dev/null where nothing else was said", async () => {
    const child = await shell(F.STDOUT_PIPE | F.STDERR_SILENCE, "readlink /proc/self/fd/0 /proc/self/fd/2");
    assert.deepEqual(await child.communicateUtf8Async(null), ["/dev/null\n/dev/null\n", null]);
  });

  it("can be merged into a file, which is emptied first", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "out");
    writeFileSync(path, "0123456789");
    const launcher = fixtureLauncher(F.STDERR_MERGE);
    launcher.setStdoutFilePath(path);
    const child = await launcher.spawnvAsync([testprog, "echo-stdout-and-stderr", "ab"]);
    await child.waitCheckAsync();
    assert.equal(readFileSync(path, "utf8"), "ab\nab\n");
  });

  it("can come from a file of the host that the child itself could not open", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "in");
    writeFileSync(path, "secret");
    const launcher = fixtureLauncher(F.STDOUT_PIPE);
    launcher.setStdinFilePath(path);
    const child = await launcher.spawnvAsync(["sh", "-c", `cat; cat ${path} 2>/dev/null || echo -n " no"`]);
    assert.deepEqual(await child.communicateUtf8Async(null), ["secret no", null]);
  });

  it("that cannot be opened fail in GIO's words", async () => {
    const launcher = fixtureLauncher();
    launcher.setStdinFilePath("/does/not/exist");
    await assert.rejects(launcher.spawnvAsync([testprog, "noop"]), {
      domain: ErrorDomain.IO,
      code: IOErrorEnum.NOT_FOUND,
      message: "Error opening file “/does/not/exist”: No such file or directory",
    });
    launcher.setStdinFilePath(null);
    launcher.setStdoutFilePath("/");
    await assert.rejects(launcher.spawnvAsync([testprog, "noop"]), isError(ErrorDomain.IO, IOErrorEnum.IS_DIRECTORY));
    launcher.setStdoutFilePath(null);
    await (await launcher.spawnvAsync([testprog, "noop"])).waitCheckAsync();
  });

  it("of the parent's end with an error for writing do not end the program", async () => {
    const child = await shell(F.STDIN_PIPE, "exec <&-");
    await child.waitAsync();
    const stdin = child.getStdinPipe() ?? assert.fail();
    const error = await new Promise<Error | null | undefined>((resolve) => stdin.write("x".repeat(100_000), resolve));
    assert.match(String(error), /EPIPE/);
    await assert.rejects(finished(stdin));
  });

  it("give way to a descriptor of the table", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "out");
    using launcher = fixtureLauncher(F.STDOUT_PIPE);
    launcher.takeFd(openSync(path, "w"), 1);
    const child = await launcher.spawnvAsync([testprog, "echo", "x"]);
    assert.deepEqual(await child.communicateUtf8Async(null), ["", null]);
    assert.equal(readFileSync(path, "utf8"), "x\n");
  });
});

describe("a launcher", () => {
  it("refuses a second disposition in each of its setters, and does not take the descriptor", async () => {
    const [reading, writing] = await newPipe();
    const withFlags = (flags: number): SandboxSubprocessLauncher => new SandboxSubprocessLauncher({ flags });
    assert.throws(() => withFlags(F.STDIN_PIPE | F.STDIN_INHERIT), TypeError);
    assert.throws(() => withFlags(0).setFlags(F.STDERR_PIPE | F.STDERR_MERGE), TypeError);
    assert.throws(() => withFlags(F.STDIN_PIPE).setStdinFilePath("/x"), /STDIN_PIPE setStdinFilePath/);
    assert.throws(() => withFlags(F.STDOUT_PIPE).setStdoutFilePath("/x"), TypeError);
    assert.throws(() => withFlags(F.STDERR_MERGE).setStderrFilePath("/x"), TypeError);
    assert.throws(() => withFlags(F.STDIN_PIPE).takeStdinFd(reading), /STDIN_PIPE takeStdinFd/);
    assert.throws(() => withFlags(F.STDOUT_SILENCE).takeStdoutFd(writing), TypeError);
    assert.throws(() => withFlags(F.STDERR_PIPE).takeStderrFd(writing), TypeError);
    using launcher = withFlags(0);
    launcher.takeStdoutFd(writing);
    assert.throws(() => launcher.setFlags(F.STDOUT_PIPE), TypeError);
    assert.throws(() => launcher.setStdoutFilePath("/x"), TypeError);
    assert.ok(isOpen(reading) && isOpen(writing));
    closeSync(reading);
  });

  it("closes a descriptor when another one takes its place, and not one that it took twice", async () => {
    const [reading, writing] = await newPipe();
    using launcher = new SandboxSubprocessLauncher();
    launcher.takeStdoutFd(writing);
    launcher.takeStdoutFd(writing);
    assert.ok(isOpen(writing));
    launcher.takeStdoutFd(-1);
    assert.ok(!isOpen(writing));
    closeSync(reading);
  });

  it("can be used again, with what was set since", async () => {
    const launcher = fixtureLauncher(F.STDOUT_PIPE);
    for (const value of ["one", "two"]) {
      launcher.setenv("X", value, true);
      const child = await launcher.spawnvAsync([testprog, "printenv", "X"]);
      assert.deepEqual(await child.communicateUtf8Async(null), [`X=${value}\n`, null]);
    }
  });

  it("may be closed, and its descriptors with it, as soon as a launch was asked for", async () => {
    const [reading, writing] = await newPipe();
    const launcher = fixtureLauncher();
    launcher.takeFd(writing, 5);
    const launch = launcher.spawnvAsync([testprog, "write-to-fds", "5"]);
    launcher.close();
    await (await launch).waitCheckAsync();
    assert.equal(readFileSync(reading, "latin1"), "hello world\n\0");
    closeSync(reading);
  });

  it("gives one descriptor to several children", async () => {
    const [reading, writing] = await newPipe();
    const launcher = fixtureLauncher();
    launcher.takeFd(writing, 3);
    for (let count = 0; count < 3; count++) {
      await (await launcher.spawnvAsync([testprog, "write-to-fds", "3"])).waitCheckAsync();
    }
    launcher.close();
    assert.equal(readFileSync(reading, "latin1"), "hello world\n\0".repeat(3));
    closeSync(reading);
  });

  it("swaps descriptors, and of equal targets the last counts", async () => {
    using directory = temporaryDirectory();
    const file = (name: string): number => {
      writeFileSync(join(directory.path, name), name);
      return openSync(join(directory.path, name), "r");
    };
    using launcher = fixtureLauncher(F.STDOUT_PIPE);
    const [a, b, c] = [file("a"), file("b"), file("c")];
    launcher.takeFd(a, b);
    launcher.takeFd(b, a);
    launcher.takeFd(a, 50);
    launcher.takeFd(c, 50);
    const child = await launcher.spawnvAsync(["bash", "-c", `cat <&${a}; cat <&${b}; cat <&50`]);
    assert.deepEqual(await child.communicateUtf8Async(null), ["bac", null]);
  });

  it("looks a program up in the sandbox, not in the launcher's PATH", async () => {
    const launcher = fixtureLauncher();
    launcher.setenv("PATH", join(testprog, ".."), true);
    await assert.rejects(launcher.spawnvAsync(["testprog", "noop"]), isError(ErrorDomain.SPAWN, SpawnError.NOENT));
  });

  it("looks it up in /bin and /usr/bin if the flag asks for a PATH that is not there", async () => {
    const launcher = fixtureLauncher(F.SEARCH_PATH_FROM_ENVP);
    launcher.unsetenv("PATH");
    await (await launcher.spawnvAsync(["true"])).waitCheckAsync();
  });

  it("fails as GIO does for what cannot be executed", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "file");
    writeFileSync(file, "");
    const launcher = new SandboxSubprocessLauncher({ permissions: new SandboxPermissions().addFilesystem(directory.path) });
    const cases: readonly [string, number, string][] = [
      ["/", SpawnError.ACCES, "Permission denied"],
      [file, SpawnError.ACCES, "Permission denied"],
      [`${file}/x`, SpawnError.NOTDIR, "Not a directory"],
      ["no-such-program", SpawnError.NOENT, "No such file or directory"],
      [`/${"x".repeat(300)}`, SpawnError.NAMETOOLONG, "File name too long"],
    ];
    for (const [program, code, reason] of cases) {
      await assert.rejects(launcher.spawnvAsync([program]), {
        domain: ErrorDomain.SPAWN,
        code,
        message: `Failed to execute child process “${program}” (${reason})`,
      });
    }
    launcher.setCwd("/does/not/exist");
    await assert.rejects(launcher.spawnvAsync(["true"]), {
      domain: ErrorDomain.SPAWN,
      code: SpawnError.CHDIR,
      message: "Failed to change to directory “/does/not/exist” (No such file or directory)",
    });
  });

  it("fails as the kernel does for more arguments than a program can have", async () => {
    await assert.rejects(fixtureLauncher().spawnvAsync(["true", "x".repeat(200_000)]), {
      domain: ErrorDomain.SPAWN,
      code: SpawnError.TOO_BIG,
    });
    await assert.rejects(fixtureLauncher().spawnvAsync(["true", ...Array<string>(60).fill("x".repeat(100_000))]), {
      domain: ErrorDomain.SPAWN,
      code: SpawnError.TOO_BIG,
    });
  });

  it("runs a text file without an interpreter with /bin/sh", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "script");
    writeFileSync(file, 'echo "$0 $1"', { mode: 0o755 });
    const launcher = new SandboxSubprocessLauncher({
      flags: F.STDOUT_PIPE,
      permissions: new SandboxPermissions().addFilesystem(`${directory.path}:ro`),
    });
    const child = await launcher.spawnvAsync([file, "x"]);
    assert.deepEqual(await child.communicateUtf8Async(null), [`${file} x\n`, null]);
  });

  it("kills a child that does not end within its timeout, and all that it started", async () => {
    const launcher = fixtureLauncher(F.STDOUT_PIPE, { timeout: 300 });
    const timedOut = isError(ErrorDomain.SANDBOX, SandboxError.TIMED_OUT);
    const child = await launcher.spawnvAsync(["sh", "-c", "trap '' TERM; (setsid sleep 100) & sleep 100"]);
    const start = performance.now();
    await assert.rejects(child.communicateAsync(null), timedOut);
    assert.ok(performance.now() - start < 5000);
    await assert.rejects(child.waitCheckAsync(), timedOut);
    assert.equal(await child.waitAsync(), true);
    assert.equal(child.getTermSig(), 9);
    assert.ok((child.getResourceUsage()?.wallMicroseconds ?? 0) >= 300_000);
  });

  it("freezes its permissions at the first launch", async () => {
    const launcher = fixtureLauncher();
    await (await launcher.spawnvAsync([testprog, "noop"])).waitAsync();
    assert.throws(() => launcher.permissions.share("network"), TypeError);
    launcher.permissions = launcher.permissions.copy().share("network");
  });
});

describe("a subprocess without a launcher", () => {
  it("is started at once, or by its initialisation", async () => {
    const child = await Subprocess.newAsync(["echo", "x"], F.STDOUT_PIPE);
    assert.deepEqual(await child.communicateUtf8Async(null), ["x\n", null]);
    const later = new Subprocess({ argv: ["sh", "-c", "exit 4"] });
    assert.throws(() => later.getIdentifier(), TypeError);
    await later.initAsync();
    await later.waitAsync();
    assert.equal(later.getExitStatus(), 4);
  });

  it("that is cancelled before it starts is not started", async () => {
    const child = new Subprocess({ argv: ["true"] });
    await assert.rejects(child.initAsync(AbortSignal.abort()), isError(ErrorDomain.IO, IOErrorEnum.CANCELLED));
  });
});

describe("the end of a child's scope", () => {
  it("ends it with all that it started, and leaves nothing", async () => {
    await until(() => childProcesses().length === 0);
    const before = openDescriptors().length;
    {
      await using child = await shell(F.STDIN_PIPE | F.STDOUT_PIPE, "setsid sleep 1000 & echo up; cat; sleep 1000");
      await new Promise((resolve) => child.getStdoutPipe()?.once("data", resolve));
    }
    assert.deepEqual(childProcesses(), []);
    await until(() => openDescriptors().length <= before);
  });

  it("sends a signal to nobody after the end", async () => {
    const child = await spawn(0, "noop");
    await child.waitAsync();
    child.sendSignal(9);
    child.forceExit();
    assert.equal(child.getExitStatus(), 0);
  });

  it("takes no notice of a number that is no signal", async () => {
    await using child = await spawn(0, "sleep-forever");
    for (const number of [-1, 0, 65, 1000]) child.sendSignal(number);
    assert.throws(() => child.sendSignal(1.5), TypeError);
    assert.ok(existsSync(`/proc/${child.getIdentifier() ?? ""}`));
  });
});
