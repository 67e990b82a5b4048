import assert from "node:assert/strict";
import { bubblewrapFacts } from "../../src/plan/bubblewrap-facts.js";
import { bubblewrapFailure } from "../../src/plan/bubblewrap-failure.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";

const findings = {
  path: "/usr/bin/bwrap",
  mode: 0o100755,
  versionText: "bubblewrap 0.8.0\n",
  helpText: "usage: bwrap [OPTIONS...]\n\n    --help        Print\n    --bind-fd FD DEST   Bind\n",
};

function notAvailable(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.NOT_AVAILABLE) && pattern.test(error.message);
}

describe("what is found of bwrap", () => {
  it("is its version and its options", () => {
    const facts = bubblewrapFacts(findings);
    assert.deepEqual(facts.version, [0, 8, 0]);
    assert.deepEqual([...facts.options], ["--help", "--bind-fd"]);
  });

  it("is NOT_AVAILABLE, with what to do, if it is missing, too old, setuid or no bwrap", () => {
    assert.throws(() => bubblewrapFacts({ ...findings, path: null }), notAvailable(/not found.*Install/));
    assert.throws(() => bubblewrapFacts({ ...findings, versionText: "bubblewrap 0.7.9" }), notAvailable(/0\.7\.9.*0\.8\.0/));
    assert.throws(() => bubblewrapFacts({ ...findings, mode: 0o104755 }), notAvailable(/setuid.*chmod/));
    assert.throws(() => bubblewrapFacts({ ...findings, versionText: "\u001b[2Jboo" }), notAvailable(/\\u\{1b\}/));
  });

  it("takes any newer version", () => {
    for (const version of ["0.8.1", "0.10", "0.11.0", "1.0.0"]) {
      bubblewrapFacts({ ...findings, versionText: `bubblewrap ${version}\n` });
    }
  });
});

describe("a bwrap that ends before the sandbox is there", () => {
  const end = { exitCode: 1, signal: null, stderr: "" };

  it("is NOT_AVAILABLE for each way in which a system refuses sandboxes, with what to do", () => {
    const refusals = [
      "bwrap: Creating new namespace failed: Operation not permitted",
      "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.",
      "bwrap: No permissions to creating new namespace, likely because",
      "bwrap: No permissions to create a new namespace, likely",
      "bwrap: setting up uid map: Permission denied",
      "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
    ];
    for (const stderr of refusals) {
      const error = bubblewrapFailure({ ...end, stderr });
      assert.ok(notAvailable(/Bubblewrap: .*(sysctl|outside)/)(error), stderr);
      assert.equal(error.diagnostics, stderr);
    }
    assert.ok(notAvailable(/filter/)(bubblewrapFailure({ ...end, exitCode: 159 })));
    assert.ok(notAvailable(/filter/)(bubblewrapFailure({ exitCode: null, signal: "SIGSYS", stderr: "" })));
  });

  it("is SETUP_FAILED for everything else, with what it wrote, escaped", () => {
    const error = bubblewrapFailure({ ...end, stderr: "bwrap: Can't mount \u001b[31m\n" });
    assert.ok(error.matches(ErrorDomain.SANDBOX, SandboxError.SETUP_FAILED));
    assert.equal(error.message, "The sandbox could not be set up: bwrap: Can't mount \\u{1b}[31m");
    assert.match(bubblewrapFailure(end).message, /exited with code 1/);
    assert.match(bubblewrapFailure({ ...end, exitCode: null, signal: "SIGKILL" }).message, /killed by SIGKILL/);
  });
});
