import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startHelper } from "../../src/node/bubblewrap-carrier.js";
import { usableBubblewrap } from "../../src/node/bubblewrap.js";
import { DescriptorScope } from "../../src/node/descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "../../src/node/diagnostics.js";
import { hostFacts } from "../../src/node/host.js";
import { ErrorDomain, GLibError, SandboxError, SandboxPermissions, SandboxSubprocessLauncher } from "../../src/node/index.js";
import { planOpenBubblewrap } from "../../src/plan/bubblewrap.js";
import { bubblewrapOptions } from "../../src/plan/bubblewrap-words.js";
import { emptyDesktop } from "../../src/plan/desktop-plan.js";
import type { BubblewrapPlan } from "../../src/plan/launch-plan.js";
import { childProcesses, openDescriptors, temporaryDirectory } from "./gsubprocess/children.js";

/** MAX_ARGS of bubblewrap.c. */
const BWRAP_MAXIMUM = 9000;

function isLimitExceeded(error: unknown): boolean {
  return error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED);
}

/** A plan that needs this many words more than the least, 9 at least: directories of four words, and links of three. */
async function planWith(more: number): Promise<BubblewrapPlan> {
  // 3 is −1 when counted by fours
  const links = (4 - (more % 4)) % 4;
  const desktop = {
    ...emptyDesktop,
    links: Array.from({ length: links }, (_, index) => ({ path: `/tmp/link-${index}`, target: "/tmp" })),
    directories: Array.from({ length: (more - 3 * links) / 4 }, (_, index) => `/tmp/${index}`),
  };
  const request = {
    host: hostFacts(),
    bubblewrap: await usableBubblewrap(),
    permissions: new SandboxPermissions().snapshot(),
    mounts: [],
    desktop,
    pid1: { program: "/usr/bin/true" },
  };
  return planOpenBubblewrap(request, 0);
}

/** All that bwrap is given, without its own name. */
function wordCount(plan: BubblewrapPlan): number {
  const inData = bubblewrapOptions(plan).reduce((sum, { operands }) => sum + 1 + operands.length, 0);
  return plan.argv.length + inData;
}

/** Runs what a plan says. @returns what bwrap complained of: nothing if it worked */
async function complaintOf(plan: BubblewrapPlan): Promise<string> {
  using scope = new DescriptorScope();
  const diagnostics = openDiagnostics(scope);
  const [, control] = scope.socketPair();
  const { exitCode: code } = await startHelper(plan, { granted: [], child: [], control, diagnostics }, scope).ended;
  const complaint = readDiagnostics(diagnostics);
  assert.equal(code === 0, complaint === "");
  return complaint;
}

describe("a sandbox that needs many arguments", () => {
  it("is made up to the very word at which bwrap gives up, and is a typed error from there on", async () => {
    const least = wordCount(await planWith(0));
    const most = await planWith(BWRAP_MAXIMUM - least);
    assert.equal(wordCount(most), BWRAP_MAXIMUM);
    assert.equal(await complaintOf(most), "");
    await assert.rejects(() => planWith(BWRAP_MAXIMUM - least + 1), isLimitExceeded);
  });

  it("is refused to whoever grants too many paths, before anything is started", async () => {
    using directory = temporaryDirectory();
    const permissions = new SandboxPermissions();
    for (let index = 0; index < BWRAP_MAXIMUM / 3; index++) {
      const path = join(directory.path, String(index));
      mkdirSync(path);
      permissions.addFilesystem(path);
    }
    const launcher = new SandboxSubprocessLauncher({ permissions });
    const before = openDescriptors().length;
    await assert.rejects(() => launcher.spawnvAsync(["true"]), isLimitExceeded);
    await assert.rejects(() => launcher.openSandboxAsync(), isLimitExceeded);
    assert.equal(openDescriptors().length, before);
    assert.deepEqual(childProcesses(), []);
  });
});
