import assert from "node:assert/strict";
import type { Backend, PreparedLaunch } from "../../src/node/backend.js";
import { bubblewrapBackend } from "../../src/node/bubblewrap-backend.js";
import { GLibError, SandboxPermissions, SandboxSubprocessLauncher, SpawnError, SubprocessFlags } from "../../src/node/index.js";
import { launchProcess } from "../../src/node/launch-process.js";
import { OpenSandbox } from "../../src/node/open-sandbox.js";
import { SandboxTemplate } from "../../src/node/sandbox-template.js";
import { Stream } from "../../src/subprocess/flags.js";
import { childProcesses, openDescriptors } from "./gsubprocess/children.js";

function isTooBig(error: unknown): boolean {
  return error instanceof GLibError && error.matches("g-exec-error-quark", SpawnError.TOO_BIG);
}

const unset = { fd: null, path: null };

/** Bubblewrap, but what init is to be told first cannot be made. */
async function speechless(): Promise<Backend> {
  const backend = await bubblewrapBackend();
  const without = <Launch extends PreparedLaunch>(launch: Launch): Launch => ({
    ...launch,
    frames: () => {
      throw new RangeError("no words");
    },
  });
  return {
    prepare: async (...request) => without(await backend.prepare(...request)),
    prepareOpen: async (...request) => without(await backend.prepareOpen(...request)),
    prepareTemplate: async (...request) => {
      const template = await backend.prepareTemplate?.(...request);
      return template ? without(template) : null;
    },
  };
}

describe("a sandbox whose init cannot be told what to do", () => {
  const launch = (permissions: SandboxPermissions): Promise<unknown> =>
    launchProcess(
      {
        command: { argv: ["true"], environment: [], directory: "/", searchPath: "/usr/bin", timeout: null },
        flags: SubprocessFlags.STDOUT_PIPE,
        settings: { [Stream.STDIN]: unset, [Stream.STDOUT]: unset, [Stream.STDERR]: unset },
        table: [],
        permissions: permissions.snapshot(),
        backend: speechless,
        sandbox: null,
      },
      null,
    );

  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    "for one process": () => launch(new SandboxPermissions()),
    "with a cgroup around it": () => launch(new SandboxPermissions().setLimit("memory", 1 << 30)),
    "that is kept open": () => OpenSandbox.open(speechless, new SandboxPermissions().snapshot(), "kept", null),
    "after whose example others are made": () => SandboxTemplate.open(speechless, new SandboxPermissions().snapshot()),
  };
  for (const [which, attempt] of Object.entries(ways)) {
    it(`ends, if it is one ${which}, and the reason is told`, async () => {
      const child = await new SandboxSubprocessLauncher().spawnvAsync(["true"]);
      await child[Symbol.asyncDispose]();
      const before = openDescriptors().length;
      await assert.rejects(attempt, /no words/);
      assert.deepEqual(childProcesses(), []);
      assert.equal(openDescriptors().length, before);
    });
  }

  it("ends when there are more arguments than any program can have", async () => {
    const tooMany = Array.from({ length: 64 }, () => "x".repeat(100_000));
    for (const permissions of [new SandboxPermissions(), new SandboxPermissions().setLimit("memory", 1 << 30)]) {
      const before = openDescriptors().length;
      const launcher = new SandboxSubprocessLauncher({ permissions });
      await assert.rejects(launcher.spawnvAsync(["true", ...tooMany]), isTooBig);
      assert.deepEqual(childProcesses(), []);
      assert.equal(openDescriptors().length, before);
    }
  });
});
