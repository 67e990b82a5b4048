/** Gio.Subprocess and Gio.SubprocessLauncher beside our classes, in the same scenarios. */
import assert from "node:assert/strict";
import { allNames, gjsNames } from "../shared-names.js";
import { allowedDifferences } from "./allowed-differences.js";
import { alone } from "./alone.js";
import { builtModule, requireBuiltModule } from "./built-module.js";
import type { AllowedDifference } from "./differential.js";
import { ABSENT, allowedIn, complaints, differences } from "./differential.js";
import type { Result, Run } from "./scenario-runs.js";
import { glibVersion, runScenarios } from "./scenario-runs.js";

const names = allNames(gjsNames);
const compared = names.filter((name) => !(name in alone));

const gioRun: Run = { implementation: "gio", launches: "blocking", promises: "promisified" };

const ourRuns: readonly (readonly [title: string, run: Run])[] = [
  ["as they are", { implementation: builtModule, launches: "blocking", promises: "plain" }],
  ["after Gio._promisify()", { implementation: builtModule, launches: "promise", promises: "promisified" }],
  ["with launches that call back", { implementation: builtModule, launches: "callback", promises: "plain" }],
];

function resultOf(results: ReadonlyMap<string, Result>, name: string): Result {
  return results.get(name) ?? assert.fail("the scenario was not run");
}

describe("the classes for GJS", function () {
  this.timeout(600_000);
  const version = glibVersion();
  let gio: ReadonlyMap<string, Result> = new Map();

  before(requireBuiltModule);
  before("GIO's scenarios", async () => {
    gio = await runScenarios(gioRun, compared);
  });

  it("are compared with GIO's in scenarios that GIO gets through, but for one", () => {
    const broken = compared.filter((name) => ["died", "thrown", "tooLong"].some((field) => field in resultOf(gio, name)));
    assert.deepEqual(broken, ["in GJS communicate takes null for no input, too"]);
  });

  for (const [title, run] of ourRuns) {
    describe(title, () => {
      let ours: ReadonlyMap<string, Result> = new Map();
      before("our scenarios", async () => {
        ours = await runScenarios(run, names);
      });

      for (const name of names) {
        it(name, () => {
          const expected = alone[name];
          if (expected !== undefined) assert.deepEqual(resultOf(ours, name), expected);
          else {
            const found = differences(resultOf(gio, name), resultOf(ours, name));
            const wrong = complaints(found, allowedIn(name, allowedDifferences, version));
            if (wrong.length > 0) assert.fail(wrong.join("\n"));
          }
        });
      }
    });
  }
});

describe("the comparison of two results", () => {
  const allowed: readonly AllowedDifference[] = [
    { reason: "always", ours: { scenario: { a: 1 } } },
    { reason: "in old versions", before: [2, 80], ours: { scenario: { b: ABSENT } } },
  ];
  const complain = (gio: Result, ours: Result, version: readonly [number, number] = [2, 90]): string[] =>
    complaints(differences(gio, ours), allowedIn("scenario", allowed, version));

  it("takes what is the same, and what is allowed to differ, as it is allowed to", () => {
    assert.deepEqual(complain({ a: 0, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 2 }] }), []);
    assert.deepEqual(complain({ a: 0, b: 1 }, { a: 1 }, [2, 79]), []);
  });

  it("complains of anything else", () => {
    assert.deepEqual(complain({ a: 0, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 3 }] }), [
      'b: expected [1,{"c":2}] as GIO, but got [1,{"c":3}]',
    ]);
    assert.deepEqual(complain({ a: 0 }, { a: 2 }), ["a: expected 0 as GIO, or 1 as it is allowed, but got 2"]);
    assert.deepEqual(complain({ a: 0 }, { a: 1, b: 1 }), ['b: expected "(absent)" as GIO, but got 1']);
  });

  it("complains of an allowed difference that is not there", () => {
    assert.deepEqual(complain({ a: 1 }, { a: 1 }), ["a: is allowed to differ from GIO, but does not"]);
  });

  it("knows no allowed difference of a scenario that is not there", () => {
    const unknown = allowedDifferences.flatMap(({ ours }) => Object.keys(ours)).filter((name) => !compared.includes(name));
    assert.deepEqual(unknown, []);
  });
});
