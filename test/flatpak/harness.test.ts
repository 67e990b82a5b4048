import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { createInterface } from "node:readline";
import { connectToBus } from "../../src/node/bus/bus.js";
import { until } from "../node/gsubprocess/children.js";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";

const project = join(import.meta.dirname, "../..");

describe("inside a real Flatpak", function () {
  // the first time, the runtime is built
  this.timeout(120_000);

  let app: FlatpakApp;
  let started = false;
  before(requireFlatpak);
  before(async () => {
    app = await FlatpakApp.start();
    started = true;
  });
  after(async () => {
    // there is none where the tests are skipped
    if (started) await app[Symbol.asyncDispose]();
  });

  it("Node runs, and finds itself in our application", async () => {
    const script = "console.log(process.version); console.log(require('node:fs').readFileSync('/.flatpak-info', 'utf8'))";
    const { stdout, stderr, status } = await app.run(["node", "-e", script]);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`^${process.version}\n`));
    assert.match(stdout, /^name=io\.github\.gio_sandbox\.Test$/m);
    assert.match(stdout, /^instance-id=\d+$/m);
  });

  it("gjs runs, and has GLib and Gio", async () => {
    const script = "const {GLib, Gio} = imports.gi; print(GLib.get_user_name().length > 0, Gio.File.new_for_path('/.flatpak-info').query_exists(null))";
    assert.deepEqual(await app.run(["gjs", "-c", script]), { stdout: "true true\n", stderr: "", status: 0 });
  });

  it("our own library and command are there", async () => {
    const { stdout, status } = await app.run(["node", "bin/../dist/cli/node.js", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: gio-sandbox/m);
    const imported = await app.run(["node", "--input-type=module", "-e", "console.log(Object.keys(await import('gio-sandbox')).length > 5)"]);
    assert.deepEqual(imported, { stdout: "true\n", stderr: "", status: 0 });
  });

  it("standard streams, variables, the working directory and the exit status go through", async () => {
    const result = await app.run(["sh", "-c", 'cat; echo "$WORD $PWD" >&2; exit 7'], {
      stdin: "in\n",
      env: { WORD: "a word" },
      cwd: "/app",
    });
    assert.deepEqual(result, { stdout: "in\n", stderr: "a word /app\n", status: 7 });
  });

  it("the application holds the permissions that a test gives it, and no others", async () => {
    const file = join(app.directory, "shown");
    writeFileSync(file, "content");
    const look = ["sh", "-c", `cat ${file}; sed -n '/^\\[Context]/,/^$/p' /.flatpak-info`];
    const without = await app.run(look);
    assert.equal(without.stdout, "");
    assert.match(without.stderr, /No such file/);
    const { stdout } = await app.run(look, { permissions: ["--share=network", `--filesystem=${file}:ro`] });
    assert.match(stdout, /^content\[Context]\nshared=network;\nfilesystems=.*shown:ro;\n/);
  });

  it("a program that takes too long is killed, and the test is told", async () => {
    await assert.rejects(app.run(["sh", "-c", "echo here; sleep 1000"], { timeout: 700 }), /did not end within 700 ms.*\nhere/);
  });

  it("bubblewrap does not work", async () => {
    const { status, stderr } = await app.run(["bwrap", "--ro-bind", "/", "/", "true"]);
    assert.equal(status, 1);
    assert.match(stderr, /namespace/);
  });

  describe("the portal", () => {
    it("is there, in the version that this machine's Flatpak has", async function () {
      using bus = await connectToBus(app.busAddress);
      const [reply] = await bus.call({
        destination: "org.freedesktop.portal.Flatpak",
        path: "/org/freedesktop/portal/Flatpak",
        interface: "org.freedesktop.DBus.Properties",
        member: "Get",
        signature: "ss",
        body: ["org.freedesktop.portal.Flatpak", "version"],
      });
      const { value: version } = reply as { value: unknown };
      assert.ok(typeof version === "number" && version >= 3, `unexpected version ${String(version)}`);
      if (this.test) this.test.title += ` (${version})`;
    });

    it("sandboxes what flatpak-spawn asks it for, and its exit status comes back", async () => {
      const inside = "readlink /proc/self/ns/net; ls $HOME /proc/net/dev; exit 7";
      const script = `readlink /proc/self/ns/net; flatpak-spawn --sandbox --no-network --directory=/ sh -c '${inside}'`;
      const { stdout, status } = await app.run(["sh", "-c", script], { permissions: ["--share=network"] });
      assert.equal(status, 7);
      const [appNetwork, sandboxNetwork] = stdout.match(/net:\[\d+\]/g) ?? [];
      assert.equal(appNetwork, readlinkSync("/proc/self/ns/net"));
      assert.ok(sandboxNetwork !== undefined && sandboxNetwork !== appNetwork, stdout);
    });

    it("is reached over our own bus connection, from inside", async () => {
      const { stdout, stderr, status } = await app.run(["node", "test/flatpak/fixtures/spawn-through-portal.js", "sh", "-c", "exit 9"]);
      assert.equal(stderr, "");
      assert.equal(stdout, "raw status 2304\n");
      assert.equal(status, 0);
    });

    it("has the document portal beside it, where one is installed", async function () {
      // session.ts says why it cannot be there for an ordinary user
      if (!existsSync("/usr/libexec/xdg-document-portal") || process.getuid?.() !== 0) this.skip();
      const { stdout } = await app.run(["ls", "/run/flatpak/doc", "-a"]);
      assert.match(stdout, /^\.$/m);
    });
  });

  it("an application that is killed is gone, with all that it has started", async () => {
    const marker = "4242.31";
    const child = app.spawn(["sh", "-c", `sleep ${marker} & sleep ${marker} & echo up; wait`], ["ignore", "pipe", "ignore"]);
    await firstLine(child);
    assert.ok(processesWith(marker).length > 1);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    await until(() => processesWith(marker).length === 0);
  });

  it("test files run, and tell which of their tests passed and failed", async () => {
    const { passed, failed } = await app.runMocha(["test/plan/bubblewrap-facts.test.ts", "test/flatpak/fixtures/one-of-each.ts"]);
    assert.ok(passed.length > 3 && passed.includes("one of each passes inside Flatpak"));
    assert.deepEqual(failed.map(({ title }) => title), ["one of each fails"]);
    assert.match(failed[0]?.message ?? "", /on purpose/);
  });

  it("a test file that cannot be loaded is an error with its reason", async () => {
    await assert.rejects(app.runMocha(["test/no-such.test.ts"]), /no-such\.test/);
  });
});

describe("when a session for Flatpak ends, nothing is left of it", function () {
  this.timeout(60_000);
  before(requireFlatpak);

  for (const [how, end] of [
    ["the test disposes of it", "dispose"],
    ["the test run fails", "throw"],
    ["the test run forgets it", "forget"],
    ["the test run is killed", "SIGKILL"],
  ] as const) {
    it(how, async () => {
      const runner = spawn(execPath, ["--import", "tsx", join(import.meta.dirname, "fixtures/start-and-end.ts"), end], {
        cwd: project,
        env,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const ended = once(runner, "exit");
      const expiry = setTimeout(() => runner.kill("SIGKILL"), 40_000);
      const directory = await firstLine(runner);
      assert.ok(directory.includes("gio-sandbox-flatpak-"), directory);
      assert.ok(existsSync(directory));
      assert.ok(processesWith(directory).length > 3);
      if (end === "SIGKILL") runner.kill("SIGKILL");
      const [code, signal] = (await ended) as [number | null, string | null];
      clearTimeout(expiry);
      assert.deepEqual([code, signal], { dispose: [0, null], throw: [1, null], forget: [0, null], SIGKILL: [null, "SIGKILL"] }[end]);
      await until(() => processesWith(directory).length === 0 && !existsSync(directory));
      assert.ok(!readFileSync("/proc/mounts", "utf8").includes(directory));
    });
  }
});

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  assert.ok(stdout);
  const lines = createInterface(stdout);
  const [line] = (await Promise.race([once(lines, "line"), once(lines, "close").then(() => [""])])) as [string];
  return line;
}

/** The processes, in whichever namespace below ours, that have a word on their command line. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word);
    } catch {
      return false;
    }
  });
}
