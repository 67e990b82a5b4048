import assert from "node:assert/strict";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import {
  Backend,
  ErrorDomain,
  IOErrorEnum,
  SandboxError,
  SandboxPermissions,
  SandboxSubprocess,
  SandboxSubprocessLauncher,
} from "../../src/node/index.js";
import { DEFAULT_REQUIRED } from "../../src/plan/guarantees.js";
import { childProcesses, openDescriptors, temporaryDirectory } from "./gsubprocess/children.js";

const notEnforceable = { domain: ErrorDomain.SANDBOX, code: SandboxError.NOT_ENFORCEABLE };
const notAvailable = { domain: ErrorDomain.SANDBOX, code: SandboxError.NOT_AVAILABLE };

describe("a launcher's explanation", () => {
  it("comes at once, and starts and opens nothing", () => {
    const [processes, descriptors] = [childProcesses(), openDescriptors()];
    const report = new SandboxSubprocessLauncher({ permissions: new SandboxPermissions().addFilesystem("/usr") }).explain();
    assert.equal(report.backend, Backend.BUBBLEWRAP);
    assert.deepEqual([childProcesses(), openDescriptors()], [processes, descriptors]);
  });

  it("is what the child's own report says, also when things have changed since", async () => {
    using directory = temporaryDirectory();
    const folder = join(directory.path, "folder");
    mkdirSync(folder);
    const launcher = new SandboxSubprocessLauncher({ permissions: new SandboxPermissions().addFilesystem(`${folder}:ro`) });
    const report = launcher.explain();
    const child = await launcher.spawnvAsync(["true"]);
    await child.waitAsync();
    assert.ok(child.getReport().equals(report));
    launcher.setenv("A", "1", true);
    rmdirSync(folder);
    assert.equal(child.getReport(), child.getReport());
    assert.equal(child.getBackend(), "bubblewrap");
    assert.throws(() => launcher.explain(), { domain: ErrorDomain.IO, code: IOErrorEnum.NOT_FOUND });
  });

  it("is given for no sandbox at all", async () => {
    const launcher = new SandboxSubprocessLauncher({ backend: Backend.NONE });
    const child = await launcher.spawnvAsync(["true"]);
    await child.waitAsync();
    assert.equal(child.getBackend(), "none");
    assert.ok(child.getReport().equals(launcher.explain()));
    assert.ok(launcher.explain().guarantees.every(({ enforcement }) => enforcement === "none"));
    assert.throws(() => new SandboxSubprocessLauncher({ backend: Backend.LANDLOCK }).explain(), notAvailable);
  });

  it("of a process that was not started is an error", () => {
    assert.throws(() => new SandboxSubprocess({ argv: ["true"] }).getReport(), TypeError);
    assert.throws(() => new SandboxSubprocess({ argv: ["true"] }).getBackend(), TypeError);
  });
});

describe("what a launcher requires", () => {
  it("is the default list, and nothing where no sandbox was asked for by name", () => {
    const launcher = new SandboxSubprocessLauncher();
    assert.deepEqual(launcher.requiredGuarantees, DEFAULT_REQUIRED);
    launcher.backend = Backend.NONE;
    assert.deepEqual(launcher.requiredGuarantees, []);
    launcher.requiredGuarantees = ["network"];
    assert.deepEqual(launcher.requiredGuarantees, ["network"]);
  });

  it("is checked before anything is started", async () => {
    const launcher = new SandboxSubprocessLauncher({ backend: Backend.NONE, requiredGuarantees: ["network", "lifetime"] });
    const processes = childProcesses();
    await assert.rejects(launcher.spawnvAsync(["true"]), notEnforceable);
    await assert.rejects(launcher.openSandboxAsync(), notEnforceable);
    assert.throws(() => launcher.prewarm(2), notEnforceable);
    assert.deepEqual(childProcesses(), processes);
  });

  it("is refused if it is no aspect, and so is a backend that is none", () => {
    const launcher = new SandboxSubprocessLauncher();
    assert.throws(() => (launcher.requiredGuarantees = ["nonsense" as "network"]), TypeError);
    assert.throws(() => (launcher.backend = "nonsense" as "auto"), TypeError);
    assert.throws(() => new SandboxSubprocessLauncher({ requiredGuarantees: ["nonsense" as "network"] }), TypeError);
  });

  it("never makes a launch take another backend than the one that is asked for", async () => {
    await assert.rejects(new SandboxSubprocessLauncher({ backend: Backend.LANDLOCK }).spawnvAsync(["true"]), notAvailable);
  });
});
