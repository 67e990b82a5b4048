import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { execPath } from "node:process";

const fixture = join(import.meta.dirname, "fixtures/second-launch.ts");

interface Launches {
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly bus: readonly string[];
}

describe("a launch after the first", () => {
  it("waits for no file, and neither has needed D-Bus", function () {
    this.timeout(30_000);
    const output = execFileSync(execPath, ["--import", "tsx", fixture], { encoding: "utf8" });
    const { first, second, bus } = JSON.parse(output) as Launches;
    assert.ok(first.includes("readFileSync /usr/bin/bwrap"), "what is called is seen");
    assert.deepEqual(second, []);
    assert.deepEqual(bus, []);
  });
});
