import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { MochaResult } from "./flatpak-app.js";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";
import { appId } from "./test-app.js";

describe("through the real portal", function () {
  // the first time, the runtime is built
  this.timeout(180_000);

  let app: FlatpakApp;
  before(requireFlatpak);
  before(async () => {
    app = await FlatpakApp.start();
  });
  after(() => app[Symbol.asyncDispose]());

  /** Temporary files where the host has them too. */
  const temporary = (): { readonly TMPDIR: string } => ({ TMPDIR: join(app.directory, "home/.var/app", appId, "cache") });

  function assertPassed({ passed, pending, failed }: MochaResult, atLeast: number): void {
    assert.deepEqual(failed, []);
    assert.deepEqual(pending, []);
    assert.ok(passed.length >= atLeast, `only ${passed.length} tests ran`);
  }

  it("the children have GSubprocess's semantics: all tests carried over from GLib pass", async () => {
    const files = ["test/node/gsubprocess/upstream.test.ts", "test/node/gsubprocess/semantics.test.ts"];
    assertPassed(await app.runMocha(files, { env: temporary() }), 100);
  });

  it("open sandboxes work as they do elsewhere", async () => {
    assertPassed(await app.runMocha(["test/node/sandbox.test.ts"], { env: temporary() }), 16);
  });

  it("the children have what they were granted, and nothing else", async () => {
    const shared = join(app.directory, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    const options = { permissions: ["--share=network", `--filesystem=${shared}`], env: { SHARED_DIRECTORY: shared } };
    assertPassed(await app.runMocha(["test/flatpak/fixtures/through-portal.ts"], options), 18);
  });

  it("gio-sandbox check finds the portal, and says what it is", async () => {
    const { stdout, status } = await app.run(["node", "dist/cli/node.js", "check"]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^In a Flatpak: io\.github\.gio_sandbox\.Test, .* Its sandbox portal has version \d+[,.]/);
    assert.match(stdout, /^flatpak-portal +works/m);
    assert.match(stdout, /^bubblewrap +no/m);
  });

  it("an application that is killed leaves no child, and what its children have left ends too", async () => {
    const marker = `98${Date.now() % 100_000}.25`;
    // the instance lives on, so that what is left would be seen in it
    const script = `node test/flatpak/fixtures/launch-and-be-killed.js ${marker}; sleep 1; cat /proc/[0-9]*/cmdline | tr '\\0' ' '`;
    const { stdout } = await app.run(["sh", "-c", script]);
    assert.match(stdout, /^up\n/);
    assert.match(stdout, /cat/);
    assert.ok(!stdout.includes(`sleep ${marker}`), stdout);
  });
});
