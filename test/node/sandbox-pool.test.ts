import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorDomain, GLibError, SandboxError, SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { Backend } from "../../src/plan/choose-backend.js";
import type { Backend as PreparingBackend, PreparedTemplate } from "../../src/node/backend.js";
import { backendFor } from "../../src/node/choose-backend.js";
import { SandboxPool } from "../../src/node/sandbox-pool.js";
import { childProcesses, firstProcesses, openDescriptors, temporaryDirectory, until } from "./gsubprocess/children.js";

async function output(launcher: SandboxSubprocessLauncher, script: string): Promise<string> {
  await using child = await launcher.spawnvAsync(["sh", "-c", script]);
  return (await child.communicateUtf8Async(null))[0] ?? "";
}

/** Waits until so many sandboxes have been made after a template, and have said that they are ready. */
async function areReady(count: number): Promise<void> {
  await until(() => firstProcesses().length > count);
  await new Promise((resolve) => setTimeout(resolve, 100));
}

describe("a launcher that keeps sandboxes ready", () => {
  it("gives each child one of its own", async () => {
    using launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE });
    launcher.prewarm(2);
    for (let i = 0; i < 5; i++) {
      await areReady(2);
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
    await areReady(2);
    renameSync(path, `${path}-moved`);
    mkdirSync(path);
    writeFileSync(join(path, "new"), "");
    assert.equal(await output(launcher, `ls ${path}`), "new\n");
    // what is made after that is made of what is there now
    await areReady(2);
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
    await areReady(1);
    launcher.permissions = new SandboxPermissions().addFilesystem(`${directory.path}:ro`);
    assert.equal(await output(launcher, `cat ${directory.path}/file`), "granted");
  });

  it("leaves nothing when it is closed, or told to keep none", async () => {
    const before = openDescriptors().length;
    const launcher = new SandboxSubprocessLauncher();
    launcher.prewarm(4);
    await areReady(4);
    launcher.prewarm(0);
    launcher.prewarm(4);
    launcher.close();
    await until(() => childProcesses().length === 0 && openDescriptors().length <= before);
  });

  it("lets a child go on whose sandbox was ready, although it keeps none any more", async () => {
    const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDIN_PIPE });
    launcher.prewarm(1);
    await areReady(1);
    const child = await launcher.spawnvAsync(["cat"]);
    assert.match(child.getIdentifier() ?? "", /^\d+$/);
    launcher.close();
    await until(() => firstProcesses().length === 2);
    assert.deepEqual(await child.communicateUtf8Async("still here"), ["still here", null]);
    assert.ok(child.getSuccessful());
    await until(() => childProcesses().length === 0);
  });

  it("knows a child by its pid on the host, and can signal it", async () => {
    using launcher = new SandboxSubprocessLauncher();
    launcher.prewarm(2);
    await areReady(2);
    const children = await Promise.all([1, 2].map((seconds) => launcher.spawnvAsync(["sleep", `100${seconds}`])));
    for (const [index, child] of children.entries()) {
      const commandLine = readFileSync(`/proc/${child.getIdentifier() ?? "none"}/cmdline`, "latin1");
      assert.deepEqual(commandLine.split("\0"), ["sleep", `100${index + 1}`, ""]);
      child.sendSignal(15);
      await child.waitAsync();
      assert.equal(child.getTermSig(), 15);
    }
  });

  it("loses a child whose sandbox is killed, with what it was made after, and says so", async () => {
    using launcher = new SandboxSubprocessLauncher();
    launcher.prewarm(1);
    await areReady(1);
    const child = await launcher.spawnvAsync(["sleep", "1000"]);
    for (const pid of childProcesses()) process.kill(Number(pid), "SIGKILL");
    await assert.rejects(child.waitAsync(), (error) => {
      return error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.SETUP_FAILED) && error.message.includes('was lost');
    });
    await until(() => childProcesses().length === 0);
    // and the next launch has a sandbox
    await (await launcher.spawnvAsync(["true"])).waitCheckAsync();
  });

  it("ends with the program, which does not wait for what is ready", async () => {
    const module = new URL("../../dist/node/index.js", import.meta.url).href;
    const script = `
      const { SandboxSubprocessLauncher } = await import(${JSON.stringify(module)});
      const launcher = new SandboxSubprocessLauncher();
      launcher.prewarm(3);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await (await launcher.spawnvAsync(["true"])).waitCheckAsync();`;
    const program = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" });
    const [code] = (await once(program, "exit")) as [number];
    assert.equal(code, 0);
  });

  it("keeps none unless it is told to", async () => {
    using launcher = new SandboxSubprocessLauncher();
    const child = await launcher.spawnvAsync(["true"]);
    await child.waitCheckAsync();
    await child[Symbol.asyncDispose]();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(childProcesses(), []);
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

  it("gives all back after a time without a launch, and has them ready again after the next one", async () => {
    const pool = new SandboxPool(() => backendFor(Backend.AUTO), new SandboxPermissions().snapshot(), 2, 500);
    await until(() => pool.ready === 2);
    await until(() => pool.ready === 0 && childProcesses().length === 0);
    assert.equal(pool.take(), null);
    await until(() => pool.ready === 2);
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

  it("makes more when none is ready, with one bwrap for all of them", async () => {
    const pool = new SandboxPool(() => backendFor(Backend.AUTO), new SandboxPermissions().snapshot(), 1);
    await until(() => pool.ready === 1);
    const taken = Array.from({ length: 5 }, () => pool.take() ?? assert.fail());
    await Promise.all(taken.map(({ ready }) => ready));
    assert.equal(firstProcesses().length, 6);
    assert.equal(childProcesses().length, 1);
    for (const sandbox of taken) sandbox.close();
    pool.close();
    await until(() => childProcesses().length === 0);
  });

  it("has bwrap make each where none can be made after an example, or where that turns out not to work", async () => {
    const permissions = new SandboxPermissions().snapshot();
    const real = await backendFor(Backend.BUBBLEWRAP);
    const broken = async (...args: Parameters<NonNullable<typeof real.prepareTemplate>>): Promise<PreparedTemplate | null> => {
      const prepared = (await real.prepareTemplate?.(...args)) ?? assert.fail();
      return { ...prepared, make: { ...prepared.make, privateDirectories: [{ path: "/nowhere", options: "" }] } };
    };
    for (const prepareTemplate of [() => Promise.resolve(null), broken]) {
      const backend: PreparingBackend = {
        prepare: (...args) => real.prepare(...args),
        prepareOpen: (...args) => real.prepareOpen(...args),
        prepareTemplate,
      };
      const pool = new SandboxPool(() => Promise.resolve(backend), permissions, 2);
      await until(() => pool.ready === 2);
      assert.equal(childProcesses().length, 2);
      for (let count = 0; count < 2; count++) pool.take()?.close();
      assert.equal(pool.take(), null);
      await until(() => pool.ready === 2);
      assert.equal(childProcesses().length, 2);
      pool.close();
      await until(() => childProcesses().length === 0);
    }
  });
});
