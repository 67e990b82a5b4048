import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The lines that a program prints, which must succeed in silence otherwise. */
function lines(program: string, words: readonly string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd: root, encoding: "utf8", timeout: 60_000 });
  assert.ifError(error);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return stdout.split("\n");
}

/** What a script of this folder prints in either. */
function inBoth(name: string): { readonly node: string[]; readonly gjs: string[] } {
  const bundle = `build/test-gjs/${name}.js`;
  lines(execPath, ["tools/build-gjs.js", `test/gjs/${name}.ts`, bundle]);
  return { node: lines(execPath, ["--import", "tsx", `test/gjs/${name}.ts`]), gjs: lines("gjs", ["-m", "test/gjs/run-bundle.js", bundle]) };
}

describe("the modules that stand for Node's in GJS", function () {
  this.timeout(120_000);

  it("do with files what Node's do, and fail with the same errors", () => {
    const { node, gjs } = inBoth("fs-calls");
    assert.deepEqual(gjs, node);
    assert.ok(node.length > 80);
  });
});
