/** The two shells have the same tests of what they have in common. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { allNames, gjsNames, nodeNames, sharedNames } from "../shared-names.js";
import { alone } from "./alone.js";
import { scenarioNames } from "./scenario-runs.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The full titles of Node's tests of launchers and processes. */
function nodeTitles(): string[] {
  const files = ["upstream", "semantics"].map((name) => `test/node/gsubprocess/${name}.test.ts`);
  const mocha = ["node_modules/mocha/bin/mocha.js", "--dry-run", "--reporter", "json", ...files];
  const output = execFileSync(execPath, mocha, { cwd: root, encoding: "utf8" });
  const { tests } = JSON.parse(output) as { readonly tests: readonly { readonly fullTitle: string }[] };
  return tests.map(({ fullTitle }) => fullTitle);
}

describe("the names of the tests of launchers and processes", () => {
  it("are on Node those that are shared, and a few of its own", () => {
    assert.deepEqual(nodeTitles().sort(), allNames(nodeNames).sort());
  });

  it("are in GJS those that are shared, and a few of its own", () => {
    assert.deepEqual(scenarioNames().sort(), allNames(gjsNames).sort());
  });

  it("are each there once", () => {
    const all = [...sharedNames, ...[...nodeNames, ...gjsNames].flatMap(({ names }) => names)];
    assert.deepEqual(all.filter((name, index) => all.indexOf(name) !== index), []);
  });

  it("include those of all scenarios whose results are written down, for GIO has nothing like them", () => {
    assert.deepEqual(Object.keys(alone).filter((name) => !allNames(gjsNames).includes(name)), []);
  });
});
