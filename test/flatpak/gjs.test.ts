import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { allowedDifferences } from "../gjs/allowed-differences.js";
import { alone } from "../gjs/alone.js";
import { allowedIn, complaints, differences } from "../gjs/differential.js";
import type { Result } from "../gjs/scenario-runs.js";
import { glibVersion, runScenarios } from "../gjs/scenario-runs.js";
import { allNames, gjsNames } from "../shared-names.js";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";
import { appId } from "./test-app.js";

const names = allNames(gjsNames);

describe("GJS in a Flatpak", function () {
  // the first time, the runtime is built
  this.timeout(600_000);

  let app: FlatpakApp;
  before(requireFlatpak);
  before(async () => {
    app = await FlatpakApp.start();
  });
  after(() => app[Symbol.asyncDispose]());

  it("runs the command, which finds the portal", async () => {
    const { stdout, status } = await app.run(["gjs", "-m", "dist/cli/gjs.js", "--", "check"]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^flatpak-portal +works/m);
    assert.match(stdout, /^bubblewrap +no/m);
    const { stdout: output } = await app.run(["gjs", "-m", "dist/cli/gjs.js", "--", "run", "--", "sh", "-c", "cat /.flatpak-info; exit 3"]);
    assert.match(output, /^instance-id=/m);
  });

  it("has classes that do in all scenarios what GIO's do, through the portal", async () => {
    const start = (words: readonly string[]): ChildProcess =>
      app.spawn(["sh", ...words], ["ignore", "pipe", "pipe"], {
        // temporary files where the host has them too
        env: { LC_ALL: "C", TMPDIR: join(app.directory, "home/.var/app", appId, "cache") },
        // one of the scenarios grants it
        permissions: ["--share=network"],
      });
    const compared = names.filter((name) => !(name in alone));
    const gio = await runScenarios({ implementation: "gio", launches: "blocking", promises: "promisified", start }, compared);
    const module = "dist/gjs/gio-sandbox.js";
    const ours = await runScenarios({ implementation: module, launches: "blocking", promises: "plain", start }, names);
    const wrong = names.flatMap((name) => complaintsOf(name, gio.get(name), ours.get(name)));
    assert.deepEqual(wrong, []);
  });
});

function complaintsOf(name: string, gio: Result | undefined, ours: Result | undefined): string[] {
  const expected = gio ?? alone[name];
  if (ours === undefined || expected === undefined) return [`${name}: was not run`];
  const allowed = gio === undefined ? {} : allowedIn(name, allowedDifferences, glibVersion());
  return complaints(differences(expected, ours), allowed).map((complaint) => `${name}: ${complaint}`);
}
