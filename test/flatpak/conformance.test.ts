/** What reports of the portal's sandboxes promise, and what a program in such a sandbox sees, inside a real Flatpak. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";

const fixture = "test/flatpak/fixtures/conformance.ts";

describe("reports of the portal's sandboxes, inside a real Flatpak,", function () {
  // the first time, the runtime is built
  this.timeout(180_000);

  let app: FlatpakApp;
  let started = false;
  before(requireFlatpak);
  before(async () => {
    app = await FlatpakApp.start();
    started = true;
  });
  after(async () => {
    if (started) await app[Symbol.asyncDispose]();
  });

  async function check(permissions: readonly string[], env: Readonly<Record<string, string>>, atLeast: number): Promise<void> {
    const { passed, pending, failed } = await app.runMocha([fixture], { permissions, env, timeout: 120_000 });
    assert.deepEqual(failed, []);
    assert.deepEqual(pending, []);
    assert.ok(passed.length >= atLeast, `only ${passed.length} tests ran`);
  }

  it("are what children see of an application that holds nothing", async () => {
    await check([], { RESULTS: "results.json" }, 18);
  });

  it("are what children see of an application that holds all that can be granted", async () => {
    const shared = join(app.directory, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    const held = ["--share=network", "--share=ipc", "--socket=x11", "--socket=wayland", "--socket=pulseaudio", "--device=dri"];
    await check([...held, `--filesystem=${shared}`], { SHARED_DIRECTORY: shared }, 24);
  });

  it("are what children see of an application that holds the Wayland display", async () => {
    await check(["--socket=wayland"], {}, 19);
  });
});
