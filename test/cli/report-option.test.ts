import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../src/cli/run-options.js";
import { SandboxSubprocessLauncher } from "../../src/node/index.js";
import { aspects } from "../../src/plan/guarantees.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { command, describeOnEachRuntime, parseRunOptions } from "./commands.js";

function run(...args: string[]): { readonly status: number | null; readonly stderr: string } {
  const { status, stderr } = spawnSync(command(), ["run", ...args], { encoding: "utf8" });
  return { status, stderr };
}

const expected = (): unknown => JSON.parse(JSON.stringify(new SandboxSubprocessLauncher().explain()));

describeOnEachRuntime("gio-sandbox run --report", () => {
  it("writes what holds for the command before the command starts", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "report.json");
    assert.equal(run(`--report=${path}`, "--", "true").status, 0);
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), expected());
    assert.equal(run(`--report=${path}`, "--", "no-such-command").status, 127);
    assert.deepEqual(readdirSync(directory.path), ["report.json"]);
  });

  it("replaces a link instead of following it", () => {
    using directory = temporaryDirectory();
    const [path, other] = [join(directory.path, "report.json"), join(directory.path, "other")];
    writeFileSync(other, "precious");
    symlinkSync(other, path);
    assert.equal(run(`--report=${path}`, "--", "true").status, 0);
    assert.equal(readFileSync(other, "utf8"), "precious");
    assert.ok(lstatSync(path).isFile());
  });

  it("runs nothing if the report cannot be written, and leaves nothing behind", () => {
    using directory = temporaryDirectory();
    const folder = join(directory.path, "folder");
    mkdirSync(folder);
    for (const path of [folder, "/dev/null", join(directory.path, "no/such/folder/x")]) {
      const { status, stderr } = run(`--report=${path}`, "--", "sh", "-c", "echo ran >&2");
      assert.equal(status, 125, path);
      assert.match(stderr, /^gio-sandbox: [^\n]+\n$/);
      assert.doesNotMatch(stderr, /^ran$/m);
    }
    assert.deepEqual(readdirSync(directory.path), ["folder"]);
  });
});

describeOnEachRuntime("gio-sandbox run --require", () => {
  it("takes aspects, all of them or none", () => {
    const required = (...options: string[]): readonly string[] | null => parseRunOptions([...options, "x"]).required;
    assert.equal(required(), null);
    assert.deepEqual(required("--require=network,ipc", "--require=syscalls"), ["network", "ipc", "syscalls"]);
    assert.deepEqual(required("--require=all"), aspects);
    assert.deepEqual(required("--require=none"), []);
    assert.throws(() => required("--require=network,peace"), new RegExp(`${aspects.join(",")}.*peace`));
    assert.throws(() => required("--require="), UsageError);
  });

  it("is held by bubblewrap in every aspect", () => {
    assert.deepEqual(run("--require=all", "--", "true"), { status: 0, stderr: "" });
  });
});
