import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { fixture } from "../node/gsubprocess/children.js";
import { command, describeOnEachRuntime } from "./commands.js";

function run(...args: string[]): { readonly status: number | null; readonly stderr: string } {
  const programs = fileURLToPath(new URL("../../build/fixtures", import.meta.url));
  const { status, stderr } = spawnSync(command(), ["run", `--filesystem=${programs}:ro`, ...args], { encoding: "utf8" });
  return { status, stderr };
}

describeOnEachRuntime("gio-sandbox run with limits", () => {
  it("says which limit the command went over, and exits as the command's end says", () => {
    for (const [limit, bomb, status] of [
      ["memory=32M", ["allocate"], 137],
      ["processes=20", ["fork"], 137],
      ["cpu-time=1s", ["burn"], 128 + 24],
      ["file-size=1M", ["fill-file", "/tmp/x"], 128 + 25],
      ["tmpfs=1M", ["fill-file", "/tmp/x"], 1],
    ] as const) {
      const [name = ""] = limit.split("=");
      const result = run(`--limit=${limit}`, "--timeout=12s", "--", fixture("bombs"), ...bomb);
      assert.match(result.stderr, new RegExp(`^gio-sandbox: .*“${name}”`, "m"));
      assert.equal(result.status, status, limit);
    }
  });

  it("exits with 124 after the timeout, as timeout(1) does", () => {
    const { status, stderr } = run("--timeout=300ms", "--", fixture("bombs"), "flee");
    assert.equal(status, 124);
    assert.match(stderr, /^gio-sandbox: The child did not end within 300 ms/m);
  });

  it("says nothing of limits that the command kept", () => {
    assert.deepEqual(run("--limit=memory=64M", "--limit=processes=9", "--", "true"), { status: 0, stderr: "" });
    assert.deepEqual(run("--limit=cpu-time=5s", "--", "sh", "-c", "kill -9 $$"), { status: 137, stderr: "" });
  });
});
