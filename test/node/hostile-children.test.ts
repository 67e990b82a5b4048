import assert from "node:assert/strict";
import { spawn as spawnPlain } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SandboxSubprocess } from "../../src/node/index.js";
import { ErrorDomain, SandboxError, SubprocessFlags } from "../../src/node/index.js";
import { childProcesses, fixture, fixtureLauncher, until } from "./gsubprocess/children.js";

const hostile = fixture("hostile");
const F = SubprocessFlags;

function misdeed(name: string, flags: number = F.STDOUT_PIPE): Promise<SandboxSubprocess> {
  return fixtureLauncher(flags).spawnvAsync([hostile, name]);
}

async function isUp(child: SandboxSubprocess): Promise<void> {
  await once(child.getStdoutPipe() ?? assert.fail(), "data");
}

/** The processes on the host whose command line has this text. */
function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text);
      } catch {
        return false;
      }
    });
}

describe("a hostile child", () => {
  it("that leaves a tree of processes behind has exited, and the tree goes with the scope", async () => {
    {
      await using child = await misdeed("fork-tree");
      await child.waitAsync();
      assert.equal(child.getExitStatus(), 7);
      await until(() => processesWith("\0fork-tree\0").length >= 16);
    }
    assert.deepEqual(processesWith("\0fork-tree\0"), []);
  });

  it("that leaves a tree of processes behind cannot save it from force exit", async () => {
    const child = await misdeed("fork-tree");
    await child.waitAsync();
    child.forceExit();
    await until(() => processesWith("\0fork-tree\0").length === 0);
  });

  it("that ignores all signals cannot ignore force exit", async () => {
    const child = await misdeed("ignore-signals");
    await isUp(child);
    child.sendSignal(15);
    child.sendSignal(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(child.getIdentifier() !== null);
    child.forceExit();
    await child.waitAsync();
    assert.equal(child.getTermSig(), 9);
  });

  it("that closes its output and lives on is not taken for one that has ended", async () => {
    await using child = await misdeed("close-output");
    const stdout = child.getStdoutPipe() ?? assert.fail();
    stdout.resume();
    await once(stdout, "end");
    assert.ok(child.getIdentifier() !== null);
    assert.throws(() => child.getStatus(), TypeError);
  });

  it("that stops itself can be killed", async () => {
    const child = await misdeed("stop-itself");
    await isUp(child);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(child.getIdentifier() !== null);
    child.forceExit();
    await child.waitAsync();
    assert.equal(child.getTermSig(), 9);
  });

  it("that writes for ever fills no more memory than the launcher allows", async () => {
    const launcher = fixtureLauncher(F.STDOUT_PIPE);
    launcher.maximumOutput = 1 << 20;
    await using child = await launcher.spawnvAsync([hostile, "write-for-ever"]);
    await assert.rejects(child.communicateAsync(null), {
      domain: ErrorDomain.SANDBOX,
      code: SandboxError.LIMIT_EXCEEDED,
    });
    await child.waitAsync();
  });

  it("finds no control socket at any number", async () => {
    const child = await misdeed("flood-descriptors");
    assert.deepEqual(await child.communicateUtf8Async(null), ["0\n", null]);
    assert.equal(child.getExitStatus(), 0);
  });

  it("that holds the pipe through a grandchild delays its end, not that of the child", async () => {
    const child = await misdeed("hold-pipe");
    const start = performance.now();
    await child.waitAsync();
    assert.ok(performance.now() - start < 800);
    assert.deepEqual(await child.communicateUtf8Async(null), ["up\n", null]);
    assert.ok(performance.now() - start > 800);
  });

  it("can neither kill, trace nor look into the first process of its sandbox", async () => {
    const child = await misdeed("attack-init");
    assert.deepEqual(await child.communicateUtf8Async(null), ["", null]);
    assert.equal(child.getExitStatus(), 0);
  });
});

describe("the end of the launching program", () => {
  const program = fileURLToPath(new URL("fixtures/launch-and-linger.ts", import.meta.url));

  for (const [how, end] of [
    ["by SIGKILL", "SIGKILL"],
    ["by SIGTERM", "SIGTERM"],
    ["by process.exit()", "exit"],
    ["by an exception", "throw"],
  ] as const) {
    it(`${how} leaves no process of its sandboxes`, async () => {
      const marker = `linger-${process.pid}-${end}`;
      const parent = spawnPlain(process.execPath, ["--import", "tsx", program, hostile, marker, end], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      await once(parent.stdout, "data");
      assert.ok(processesWith(`\0${marker}\0`).length > 7, "there are children at first");
      if (end.startsWith("SIG")) parent.kill(end as NodeJS.Signals);
      else parent.stdout.destroy();
      await once(parent, "exit");
      await until(() => processesWith(`\0${marker}\0`).length === 0 && orphanedSandboxes().length === 0);
    });
  }

  it("by SIGKILL at any moment of a launch leaves nothing either", async function () {
    // fifteen programs start for it, one after another
    this.timeout(90_000);
    const marker = `moment-${process.pid}`;
    for (let delay = 0; delay < 10; delay += 0.7) {
      const parent = spawnPlain(process.execPath, ["--import", "tsx", program, hostile, marker, "early"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      await once(parent.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, delay));
      parent.kill("SIGKILL");
      await once(parent, "exit");
      await until(() => orphanedSandboxes().length === 0 && processesWith(`\0${marker}\0`).length === 0);
    }
    assert.deepEqual(childProcesses(), []);
  });
});

/** The bwraps, on whichever side of their clone(), that were to start our init and whose parent has gone. */
function orphanedSandboxes(): string[] {
  const programs = fileURLToPath(new URL("../../dist/native/", import.meta.url));
  return processesWith("bwrap\0--args\0").filter((pid) => {
    try {
      const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const isOrphan = /^PPid:\t1$/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
      return isOrphan && files.some((path) => path.startsWith(programs));
    } catch {
      return false;
    }
  });
}
