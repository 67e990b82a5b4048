/** What a caller may do wrong: a typed error each, nothing started, nothing left open. */
import assert from "node:assert/strict";
import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ErrorDomain,
  GLibError,
  IOErrorEnum,
  SandboxError,
  SandboxPermissions,
  SandboxSubprocess,
  SandboxSubprocessLauncher,
  SpawnError,
  SubprocessFlags,
} from "../../src/node/index.js";
import { childProcesses, openDescriptors, temporaryDirectory } from "./gsubprocess/children.js";

interface Expectation {
  readonly domain: string;
  readonly code: number;
  readonly message: RegExp;
}

/** Tries a launch that has to fail, twice: what the first one loads for good is not counted. */
async function fails(attempt: () => Promise<unknown>, { domain, code, message }: Expectation): Promise<void> {
  const isExpected = (error: unknown): boolean => {
    assert.ok(error instanceof GLibError, String(error));
    assert.match(error.message, message);
    return error.matches(domain, code);
  };
  await assert.rejects(attempt, isExpected);
  const before = { descriptors: openDescriptors(), children: childProcesses() };
  await assert.rejects(attempt, isExpected);
  assert.deepEqual({ descriptors: openDescriptors(), children: childProcesses() }, before);
}

function spawn(prepare: (launcher: SandboxSubprocessLauncher) => void): Promise<SandboxSubprocess> {
  const launcher = new SandboxSubprocessLauncher();
  prepare(launcher);
  return launcher.spawnvAsync(["true"]);
}

const badDescriptor: Expectation = {
  domain: ErrorDomain.SPAWN,
  code: SpawnError.FAILED,
  message: /Failed to duplicate file descriptor for child process \(Bad file descriptor\)/,
};

describe("bad input", () => {
  before(async () => {
    await (await new SandboxSubprocessLauncher().spawnvAsync(["true"])).waitCheckAsync();
  });

  it("is a TypeError for arguments that no program can have", async () => {
    const launcher = new SandboxSubprocessLauncher();
    for (const argv of [[], [""], ["tr\0ue"], ["true", "a\0b"]]) {
      await assert.rejects(() => launcher.spawnvAsync(argv), TypeError, JSON.stringify(argv));
      assert.throws(() => new SandboxSubprocess({ argv }), TypeError);
    }
  });

  it("is a TypeError for variables that no environment can have", () => {
    const launcher = new SandboxSubprocessLauncher();
    assert.throws(() => launcher.setenv("A=B", "c", true), TypeError);
    assert.throws(() => launcher.setenv("", "c", true), TypeError);
    assert.throws(() => launcher.setenv("A", "c\0d", true), TypeError);
    assert.throws(() => launcher.unsetenv("A=B"), TypeError);
    assert.throws(() => launcher.setEnviron(["A=\0"]), TypeError);
    assert.equal(launcher.getenv("A"), null);
  });

  it("is INVALID_PERMISSION for a path that is not absolute, whether it exists or not", () => {
    for (const path of ["no/such/path", "package.json", "./x:ro", "", "/a/../b"]) {
      assert.throws(
        () => new SandboxPermissions().addFilesystem(path),
        (error) => error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION),
        path,
      );
    }
  });

  it("is NOT_FOUND for a granted path that is gone at the launch", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "granted");
    writeFileSync(path, "");
    const permissions = new SandboxPermissions().addFilesystem(`${path}:ro`);
    rmSync(path);
    await fails(() => new SandboxSubprocessLauncher({ permissions }).spawnvAsync(["true"]), {
      domain: ErrorDomain.IO,
      code: IOErrorEnum.NOT_FOUND,
      message: /granted” cannot be granted: No such file or directory/,
    });
  });

  it("is no harm for a granted path that vanishes, or becomes another, while the launch is under way", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "granted");
    const other = join(directory.path, "other");
    for (const change of ["vanishes", "becomes another"]) {
      mkdirSync(path);
      writeFileSync(join(path, "right"), "");
      mkdirSync(other);
      writeFileSync(join(other, "wrong"), "");
      const permissions = new SandboxPermissions().addFilesystem(`${path}:ro`);
      const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
      // the path is opened before this returns: what is mounted is what was there then, or nothing is started
      const launch = launcher.spawnvAsync(["ls", path]);
      renameSync(path, join(directory.path, "moved"));
      if (change === "becomes another") renameSync(other, path);
      try {
        await using child = await launch;
        const [output] = await child.communicateUtf8Async(null);
        assert.equal(output, "right\n");
      } catch (error) {
        assert.ok(error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.SETUP_FAILED), String(error));
      }
      for (const name of ["granted", "other", "moved"]) rmSync(join(directory.path, name), { recursive: true, force: true });
    }
    assert.deepEqual(childProcesses(), []);
  });

  it("is FAILED for a target descriptor that no child can have", async () => {
    for (const target of [-1, 10_000, 2 ** 31]) {
      const source = openSync("/dev/null", constants.O_RDONLY);
      try {
        await fails(() => spawn((launcher) => launcher.takeFd(source, target)), badDescriptor);
      } finally {
        closeSync(source);
      }
    }
  });

  it("is FAILED for a descriptor that is closed", async () => {
    const closed = openSync("/dev/null", constants.O_RDONLY);
    closeSync(closed);
    await fails(() => spawn((launcher) => launcher.takeFd(closed, 5)), badDescriptor);
    await fails(() => spawn((launcher) => launcher.takeStdinFd(closed)), badDescriptor);
    await fails(() => spawn((launcher) => launcher.takeFd(-1, 5)), badDescriptor);
  });

  it("is CLOSED for a launcher that was closed", async () => {
    await fails(() => spawn((launcher) => launcher.close()), {
      domain: ErrorDomain.IO,
      code: IOErrorEnum.CLOSED,
      message: /Can't spawn a new child because a passed file descriptor has been closed/,
    });
  });

  it("is CHDIR for a working directory that is not in the sandbox", async () => {
    await fails(() => spawn((launcher) => launcher.setCwd("/root/nowhere")), {
      domain: ErrorDomain.SPAWN,
      code: SpawnError.CHDIR,
      message: /Failed to change to directory “\/root\/nowhere” \(No such file or directory\)/,
    });
  });

  it("is a TypeError for what is no timeout, no flags and no number of bytes", () => {
    for (const timeout of [0, -1, Number.NaN, Infinity]) assert.throws(() => new SandboxSubprocessLauncher({ timeout }), TypeError);
    assert.throws(() => new SandboxSubprocessLauncher({ flags: 4096 }), TypeError);
    assert.throws(() => {
      new SandboxSubprocessLauncher().maximumOutput = -1;
    }, TypeError);
  });
});
