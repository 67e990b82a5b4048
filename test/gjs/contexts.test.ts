import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { builtModule, requireBuiltModule } from "./built-module.js";

const script = fileURLToPath(new URL("contexts.js", import.meta.url));

describe("in GJS an operation", () => {
  before(requireBuiltModule);

  it("ends in the main context that it was started in, whatever the others do, and a blocking one in none of them", function () {
    this.timeout(60_000);
    using directory = temporaryDirectory();
    // the programs are found as seen from the module
    const copy = join(directory.path, "dist");
    cpSync(dirname(dirname(builtModule)), copy, { recursive: true });
    cpSync(fileURLToPath(new URL("../../data", import.meta.url)), join(directory.path, "data"), { recursive: true });
    const words = ["-m", script, builtModule, join(copy, "gjs/gio-sandbox.js")];
    const { stdout, stderr } = spawnSync("gjs", words, { encoding: "utf8", timeout: 50_000 });
    assert.equal(stderr, "");
    const answers = stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(answers, [
      ["the classes of two copies are the same", [true, true, true, true]],
      ["after an await, a blocking call", [true, "hello\n", null]],
      ["what the application was told while a call blocked", 0],
      ["in the default context, what was asked for in another", []],
      ["in that other one", ["wait", true]],
      ["a launch within another context, and a call that blocks there", true],
      ["a child that nothing refers to runs on", true],
      ["and ends by itself", true],
      ["properties of GObject", ["bubblewrap", 128 * 1024 * 1024, null]],
      ["a callback that is null", true],
    ]);
  });
});
