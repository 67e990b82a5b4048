import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ErrorDomain,
  GLibError,
  IOErrorEnum,
  SandboxError,
  SandboxPermissions,
  SandboxSubprocessLauncher,
  SpawnError,
  SubprocessFlags,
} from "../../src/node/index.js";
import type { Sandbox } from "../../src/node/index.js";
import { childProcesses, fixture, fixturePermissions, openDescriptors, temporaryDirectory, until } from "./gsubprocess/children.js";

const F = SubprocessFlags;

function launcherIn(sandbox: Sandbox, flags: number = F.STDOUT_PIPE): SandboxSubprocessLauncher {
  return new SandboxSubprocessLauncher({ flags, sandbox });
}

async function output(launcher: SandboxSubprocessLauncher, script: string): Promise<string> {
  const child = await launcher.spawnvAsync(["sh", "-c", script]);
  return (await child.communicateUtf8Async(null))[0] ?? "";
}

function isError(domain: string, code: number): (error: unknown) => boolean {
  return (error) => error instanceof GLibError && error.matches(domain, code);
}

describe("an open sandbox", () => {
  it("keeps its private /tmp from one process to the next", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox);
    await output(launcher, "echo kept >/tmp/file");
    assert.equal(await output(launcher, "cat /tmp/file"), "kept\n");
  });

  it("gives each process its own arguments, variables, directory, streams and descriptors", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "in");
    writeFileSync(path, "from a descriptor");
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const one = launcherIn(sandbox);
    one.setenv("NUMBER", "one", true);
    one.setCwd("/usr");
    one.takeFd(openSync(path, "r"), 7);
    const two = launcherIn(sandbox, F.STDOUT_PIPE | F.STDERR_MERGE);
    two.setenv("NUMBER", "two", true);
    // opened again, since those who have the same descriptor share its position
    const script = "echo $NUMBER; pwd; cat /proc/self/fd/7";
    const outputs = await Promise.all([output(one, script), output(two, script), output(one, script)]);
    assert.equal(outputs[0], "one\n/usr\nfrom a descriptor");
    assert.match(outputs[1], /^two\n\/\ncat: .*No such file or directory\n$/);
    assert.equal(outputs[2], outputs[0]);
    one.close();
  });

  it("reports the exact end of each of many processes at once", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox, F.NONE);
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const child = await launcher.spawnvAsync(["sh", "-c", index % 3 === 0 ? "kill -9 $$" : `exit ${index}`]);
        await child.waitAsync();
        return child.getIfSignaled() ? -child.getTermSig() : child.getExitStatus();
      }),
    );
    assert.deepEqual(statuses, statuses.map((_, index) => (index % 3 === 0 ? -9 : index)));
  });

  it("fails as GIO does for a program that is not there, and goes on", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox);
    await assert.rejects(() => launcher.spawnvAsync(["no-such-program"]), isError(ErrorDomain.SPAWN, SpawnError.NOENT));
    launcher.setCwd("/nowhere");
    await assert.rejects(() => launcher.spawnvAsync(["true"]), isError(ErrorDomain.SPAWN, SpawnError.CHDIR));
    launcher.setCwd(null);
    assert.equal(await output(launcher, "echo on"), "on\n");
  });

  it("has what was granted to it", async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "in"), "granted");
    const permissions = new SandboxPermissions().addFilesystem(`${directory.path}:ro`);
    await using sandbox = await new SandboxSubprocessLauncher({ permissions }).openSandboxAsync();
    assert.equal(await output(launcherIn(sandbox), `cat ${directory.path}/in`), "granted");
    assert.ok(sandbox.permissions.isFrozen);
  });

  it("takes more descriptors for one process than a message can carry", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox);
    for (let target = 3; target < 603; target++) launcher.takeFd(openSync("/dev/null", "r"), target);
    // the shell reads the directory through one more
    assert.equal(await output(launcher, "set -- /proc/$$/fd/*; echo $#"), "604\n");
    launcher.close();
  });

  it("is not ended by the end of a process, and what that left running goes with it", async () => {
    const sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox, F.NONE);
    await (await launcher.spawnvAsync(["sh", "-c", "sleep 1000 & exit 0"])).waitCheckAsync();
    assert.match(await output(launcherIn(sandbox), "cat /proc/[0-9]*/comm"), /sleep/);
    await sandbox[Symbol.asyncDispose]();
    assert.ok(sandbox.isClosed);
    await until(() => childProcesses().length === 0);
  });

  it("kills one process with its tree and leaves the others", async () => {
    await using sandbox = await new SandboxSubprocessLauncher({ permissions: fixturePermissions() }).openSandboxAsync();
    const launcher = launcherIn(sandbox);
    const other = await launcher.spawnvAsync(["sleep", "1000"]);
    const tree = await launcher.spawnvAsync([fixture("hostile"), "fork-tree", "in-a-sandbox"]);
    await once(tree.getStdoutPipe() ?? assert.fail(), "data");
    tree.forceExit();
    await tree.waitAsync();
    assert.equal(other.getIdentifier() === null, false);
    other.sendSignal(15);
    await other.waitAsync();
    assert.equal(other.getTermSig(), 15);
  });

  it("ends one process at its timeout and leaves the others", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const other = await launcherIn(sandbox).spawnvAsync(["sleep", "1000"]);
    const launcher = launcherIn(sandbox);
    launcher.timeout = 100;
    const child = await launcher.spawnvAsync(["sleep", "1000"]);
    await assert.rejects(() => child.waitCheckAsync(), isError(ErrorDomain.SANDBOX, SandboxError.TIMED_OUT));
    assert.notEqual(other.getIdentifier(), null);
  });

  it("cancels a launch and leaves nothing of it", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox);
    for (const delay of [0, 0, 1, 1, 2, 3]) {
      const abort = new AbortController();
      const launch = launcher.spawnvAsync(["sleep", "1000"], abort.signal);
      setTimeout(() => abort.abort(), delay);
      await launch.then(
        (child) => child[Symbol.asyncDispose](),
        (error: unknown) => assert.ok(isError(ErrorDomain.IO, IOErrorEnum.CANCELLED)(error)),
      );
    }
    assert.equal(await output(launcher, "cat /proc/[0-9]*/comm | grep -c sleep; :"), "0\n");
  });

  it("takes no process after it was closed, and fails those that wait for one", async () => {
    const sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox);
    const child = await launcher.spawnvAsync(["sleep", "1000"]);
    const waiting = assert.rejects(() => child.waitAsync(), isError(ErrorDomain.IO, IOErrorEnum.CLOSED));
    const exited = once(sandbox, "exited");
    sandbox.close();
    await waiting;
    await assert.rejects(() => launcher.spawnvAsync(["true"]), isError(ErrorDomain.IO, IOErrorEnum.CLOSED));
    assert.deepEqual(await exited, [null]);
  });

  it("says why it was lost, to whoever waits in it", async () => {
    const sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const exited = once(sandbox, "exited");
    const child = await launcherIn(sandbox).spawnvAsync(["sleep", "1000"]);
    const pid = Number(child.getIdentifier());
    const init = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
    process.kill(init, "SIGKILL");
    await assert.rejects(() => child.waitAsync(), isError(ErrorDomain.SANDBOX, SandboxError.SETUP_FAILED));
    const [error] = (await exited) as [unknown];
    assert.ok(error instanceof GLibError && error.message.includes('The sandbox was lost'));
    await assert.rejects(() => launcherIn(sandbox).spawnvAsync(["true"]), isError(ErrorDomain.IO, IOErrorEnum.CLOSED));
  });

  it("for a single process ends with it", async () => {
    const sandbox = await new SandboxSubprocessLauncher().openSandboxAsync("single");
    const exited = once(sandbox, "exited");
    assert.equal(await output(launcherIn(sandbox), "echo once; sleep 1000 >/dev/null 2>&1 &"), "once\n");
    sandbox.close();
    assert.deepEqual(await exited, [null]);
  });

  it("can be opened many times, and leaves nothing open", async () => {
    const launcher = new SandboxSubprocessLauncher();
    const once = async (): Promise<void> => {
      await using sandbox = await launcher.openSandboxAsync();
      await output(launcherIn(sandbox), "echo");
    };
    await once();
    const before = openDescriptors().length;
    for (let i = 0; i < 10; i++) await once();
    assert.equal(openDescriptors().length, before);
    assert.deepEqual(childProcesses(), []);
  });

  it("that cannot be opened is an error, and leaves nothing", async () => {
    const permissions = new SandboxPermissions().addFilesystem("/nowhere");
    const launcher = new SandboxSubprocessLauncher({ permissions });
    await assert.rejects(() => launcher.openSandboxAsync(), isError(ErrorDomain.IO, IOErrorEnum.NOT_FOUND));
    const abort = new AbortController();
    const opening = new SandboxSubprocessLauncher().openSandboxAsync("kept", abort.signal);
    abort.abort();
    await assert.rejects(() => opening, isError(ErrorDomain.IO, IOErrorEnum.CANCELLED));
    assert.deepEqual(childProcesses(), []);
  });

  it("duplicates descriptors at the launch, so that the caller may close its own", async () => {
    await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const launcher = launcherIn(sandbox);
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "in"), "still open");
    const fd = openSync(join(directory.path, "in"), "r");
    launcher.takeStdinFd(fd);
    const launch = launcher.spawnvAsync(["cat"]);
    launcher.close();
    assert.equal((await (await launch).communicateUtf8Async(null))[0], "still open");
    assert.throws(() => closeSync(fd));
  });
});
