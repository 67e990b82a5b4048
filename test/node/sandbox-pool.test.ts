import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { Backend } from "../../src/plan/choose-backend.js";
import { backendFor } from "../../src/node/choose-backend.js";
import { SandboxPool } from "../../src/node/sandbox-pool.js";
import { childProcesses, openDescriptors, temporaryDirectory, until } from "./gsubprocess/children.js";

async function output(launcher: SandboxSubprocessLauncher, script: string): Promise<string> {
  await using child = await launcher.spawnvAsync(["sh", "-c", script]);
  return (await child.communicateUtf8Async(null))[0] ?? "";
}

describe("a launcher that keeps sandboxes ready", () => {
  it("gives each child one of its own", async () => {
    using launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE });
    launcher.prewarm(2);
    for (let i = 0; i < 5; i++) {
      await until(() => childProcesses().length >= 2);
      assert.equal(await output(launcher, "ls /tmp; echo >/tmp/seen; echo $$"), "2\n");
    }
  });

  it("looks granted paths up again, and does not give what is not there any more", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "granted");
    mkdirSync(path);
    writeFileSync(join(path, "old"), "");
    const permissions = new SandboxPermissions().addFilesystem(`${path}:ro`);
    using launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
    launcher.prewarm(2);
    await until(() => childProcesses().length >= 2);
    renameSync(path, `${path}-moved`);
    mkdirSync(path);
    writeFileSync(join(path, "new"), "");
    assert.equal(await output(launcher, `ls ${path}`), "new\n");
  });

  it("launches as well when none is ready, and all at once", async () => {
    using launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE });
    launcher.prewarm(3);
    const outputs = await Promise.all(Array.from({ length: 20 }, (_, index) => output(launcher, `echo ${index}`)));
    assert.deepEqual(outputs, outputs.map((_, index) => `${index}\n`));
  });

  it("keeps others ready when its permissions are others", async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "file"), "granted");
    using launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE });
    launcher.prewarm(1);
    await until(() => childProcesses().length > 0);
    launcher.permissions = new SandboxPermissions().addFilesystem(`${directory.path}:ro`);
    assert.equal(await output(launcher, `cat ${directory.path}/file`), "granted");
  });

  it("leaves nothing when it is closed, or told to keep none", async () => {
    const before = openDescriptors().length;
    const launcher = new SandboxSubprocessLauncher();
    launcher.prewarm(4);
    await until(() => childProcesses().length >= 4);
    launcher.prewarm(0);
    launcher.prewarm(4);
    launcher.close();
    await until(() => childProcesses().length === 0 && openDescriptors().length <= before);
  });

  it("refuses numbers of sandboxes that it would not keep", () => {
    using launcher = new SandboxSubprocessLauncher();
    for (const sandboxes of [-1, 65, 1.5, Number.NaN]) assert.throws(() => launcher.prewarm(sandboxes), TypeError);
  });
});

describe("a pool of sandboxes", () => {
  it("makes none beforehand while more are wanted than there are", async () => {
    const pool = new SandboxPool(() => backendFor(Backend.AUTO), new SandboxPermissions().snapshot(), 4);
    await until(() => pool.ready === 4);
    let most = 0;
    for (let wanted = 0; wanted < 100; wanted++) {
      pool.take()?.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (wanted > 4) most = Math.max(most, pool.ready);
    }
    // one may have been under way
    assert.ok(most <= 1, `${most} were made`);
    await until(() => pool.ready === 4);
    pool.close();
    await until(() => childProcesses().length === 0);
  });

  it("has none ready that died meanwhile", async () => {
    const pool = new SandboxPool(() => backendFor(Backend.AUTO), new SandboxPermissions().snapshot(), 2);
    await until(() => pool.ready === 2);
    for (const pid of childProcesses()) process.kill(Number(pid), "SIGKILL");
    await until(() => pool.ready === 0);
    assert.equal(pool.take(), null);
    await until(() => pool.ready === 2);
    pool.close();
    await until(() => childProcesses().length === 0);
  });
});
