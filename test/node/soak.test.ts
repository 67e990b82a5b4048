import assert from "node:assert/strict";
import { soak } from "../../bench/soak-run.js";
import { SubprocessFlags } from "../../src/node/index.js";
import { fixtureLauncher, testprog } from "./gsubprocess/children.js";

describe("many launches", () => {
  it("one after another let nothing grow", async function () {
    this.timeout(120_000);
    const { before, after } = await soak(300, () => undefined);
    for (const what of ["descriptors", "processes", "files"] as const) {
      assert.ok(after[what] <= before[what], `${what}: ${before[what]} before, ${after[what]} after`);
    }
    assert.ok(after.memory - before.memory < 60, `${before.memory} to ${after.memory} MiB`);
  });

  it("at once, 200 of them, all end well", async function () {
    this.timeout(120_000);
    const launcher = fixtureLauncher(SubprocessFlags.STDIN_PIPE | SubprocessFlags.STDOUT_PIPE);
    const outputs = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const child = await launcher.spawnvAsync([testprog, "cat"]);
        const [output] = await child.communicateUtf8Async(String(index));
        return output;
      }),
    );
    assert.deepEqual(outputs, Array.from({ length: 200 }, (_, index) => String(index)));
  });
});
