import assert from "node:assert/strict";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";

describe("GJS in a Flatpak", function () {
  // the first time, the runtime is built
  this.timeout(180_000);

  let app: FlatpakApp;
  before(requireFlatpak);
  before(async () => {
    app = await FlatpakApp.start();
  });
  after(() => app[Symbol.asyncDispose]());

  it("runs the command, which finds the portal", async () => {
    const { stdout, status } = await app.run(["gjs", "-m", "dist/cli/gjs.js", "check"]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^flatpak-portal +works/m);
    assert.match(stdout, /^bubblewrap +no/m);
    const { stdout: output } = await app.run(["gjs", "-m", "dist/cli/gjs.js", "run", "--", "sh", "-c", "cat /.flatpak-info; exit 3"]);
    assert.match(output, /^instance-id=/m);
  });
});
