import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { usableBubblewrap } from "../../src/node/bubblewrap.js";
import { bubblewrapFacts } from "../../src/plan/bubblewrap-facts.js";

describe("the bwrap of this machine", () => {
  it("is known by what stands in the program as it is by what it says", async () => {
    const found = await usableBubblewrap();
    const say = (option: string): string => spawnSync(found.path, [option], { encoding: "utf8" }).stdout;
    const said = bubblewrapFacts({ path: found.path, mode: 0o755, versionText: say("--version"), helpText: say("--help") });
    assert.deepEqual(found.version, said.version);
    assert.deepEqual([...found.options].sort(), [...said.options].sort());
  });
});
