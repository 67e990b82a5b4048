import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";
import { appId, appTree } from "./test-app.js";

describe("without koffi, through flatpak-spawn", function () {
  // the first time, the runtime is built
  this.timeout(180_000);

  const withoutKoffi = { NODE_OPTIONS: `--import=${appTree}/test/node/fixtures/without-koffi.js` };

  let app: FlatpakApp;
  before(requireFlatpak);
  before(async () => {
    app = await FlatpakApp.start();
    const shared = join(app.directory, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o777);
  });
  after(() => app[Symbol.asyncDispose]());

  const permissions = (): string[] => ["--share=network", `--filesystem=${app.directory}/shared`];

  it("the children have GSubprocess's semantics: all tests carried over from GLib pass", async () => {
    const files = ["test/node/gsubprocess/upstream.test.ts", "test/node/gsubprocess/semantics.test.ts"];
    const env = { ...withoutKoffi, TMPDIR: join(app.directory, "home/.var/app", appId, "cache") };
    const { passed, pending, failed } = await app.runMocha(files, { env });
    assert.deepEqual(failed, []);
    assert.deepEqual(pending, []);
    assert.ok(passed.length >= 100, `only ${passed.length} tests ran`);
  });

  it("the children have what they were granted, and nothing else, but for two things that need koffi", async () => {
    const env = { ...withoutKoffi, SHARED_DIRECTORY: join(app.directory, "shared") };
    const { passed, failed } = await app.runMocha(["test/flatpak/fixtures/through-portal.ts"], { permissions: permissions(), env });
    const needsKoffi = /No sandbox .*koffi could not be loaded.*Install koffi/;
    assert.deepEqual(failed.filter(({ message }) => !needsKoffi.test(message)), []);
    assert.deepEqual(failed.map(({ title }) => title).sort(), [
      // no descriptor can be sent over the init's socket: what is put into one later would have no streams
      "a child in a real Flatpak runs without a sandbox when that is asked for by name",
      "a child in a real Flatpak shares an open sandbox with others",
    ]);
    assert.ok(passed.length >= 16, `only ${passed.length} tests ran`);
  });

  it("the children have their streams and descriptors, and what cannot be had is said", async () => {
    const env = { ...withoutKoffi, SHARED_DIRECTORY: join(app.directory, "shared") };
    const options = { permissions: permissions(), env };
    const { passed, pending, failed } = await app.runMocha(["test/flatpak/fixtures/through-flatpak-spawn.ts"], options);
    assert.deepEqual(failed, []);
    assert.deepEqual(pending, []);
    assert.ok(passed.length >= 13, `only ${passed.length} tests ran`);
  });

  it("an application that is killed leaves no child, and what its children have left ends too", async () => {
    const marker = `97${Date.now() % 100_000}.25`;
    // the instance lives on, so that what is left would be seen in it
    const script = `node test/flatpak/fixtures/launch-and-be-killed.js ${marker}; sleep 1; cat /proc/[0-9]*/cmdline | tr '\\0' ' '`;
    const { stdout } = await app.run(["sh", "-c", script], { env: withoutKoffi });
    assert.match(stdout, /^up\n/);
    assert.match(stdout, /cat/);
    assert.ok(!stdout.includes(`sleep ${marker}`) && !stdout.includes("flatpak-spawn"), stdout);
  });
});
