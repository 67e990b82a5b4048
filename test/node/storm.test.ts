import assert from "node:assert/strict";
import { env } from "node:process";
import { census } from "../../bench/census.js";
import { storm } from "../../bench/storm-run.js";
import { SandboxSubprocessLauncher } from "../../src/node/index.js";

describe("a storm of launches, with crashes, cancellations and killed inits", () => {
  it("leaves nothing, and settles every promise", async function () {
    this.timeout(120_000);
    // the same each time, unless somebody wants to see another one
    const seed = Number(env["GIO_SANDBOX_STORM_SEED"] ?? 2026);
    const { before, after, outcomes, faults } = await storm(400, seed, () => undefined);
    assert.deepEqual(faults, []);
    for (const what of ["descriptors", "processes", "inits"] as const) {
      assert.ok(after[what] <= before[what], `${what}: ${before[what]} before, ${after[what]} after`);
    }
    assert.ok(after.memory - before.memory < 60, `${before.memory} to ${after.memory} MiB`);
    // it was one: some came to their own end, and some to each kind of another
    for (const outcome of ["ended by itself", "ended by us", "g-io-error-quark 19", "gio-sandbox-error-quark 3"]) {
      assert.ok((outcomes.get(outcome) ?? 0) > 0, `none was: ${outcome}`);
    }
  });

  it("would be noticed if it left a sandbox", async () => {
    const before = await census();
    await using _sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
    const after = await census();
    assert.equal(after.inits, before.inits + 1);
    assert.ok(after.processes > before.processes && after.descriptors > before.descriptors);
  });
});
