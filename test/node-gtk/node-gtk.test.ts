/** node-gtk's objects and loops, with the real node-gtk in a program of its own. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { requireNodeGtk } from "./missing.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

const cancelled = ["g-io-error-quark", "CANCELLED"];

/** What comes of each scenario, whoever runs the loop. */
const expected: Readonly<Record<string, unknown>> = {
  "the methods are there under node-gtk's names, but for what cannot be had on Node": {
    // spawnvAsync() is
    launcher: ["spawnv"],
    // these block, or belong to callbacks; initAsync() and the others give promises
    subprocess: [
      ...["communicate", "communicateFinish", "communicateUtf8", "communicateUtf8Finish", "init"],
      ...["wait", "waitCheck", "waitCheckFinish", "waitFinish"],
    ],
  },
  "the numbers of flags and error codes are GLib's": [],
  "Gio.SubprocessFlags say where the streams go": [["out\nerr\n", null], [null, "err\n"]],
  "GLib.Bytes go in, and what comes out goes into GLib.Bytes": [[100_000, true], [1, true], [0, true]],
  "what is neither bytes nor null is a TypeError": Array(4).fill("TypeError"),
  "a Gio.Cancellable that is cancelled already starts nothing": [cancelled, false],
  "a Gio.Cancellable cancels a launch that is under way": cancelled,
  "a Gio.Cancellable ends every wait for a child, and leaves the child alone": [cancelled, cancelled, cancelled, true, 9],
  "a Gio.Cancellable is let go of when nothing waits any more": [true, false],
  "a Gio.Cancellable that is cancelled after the end changes nothing": ["done\n", true, cancelled],
  "a Gio.Cancellable can be reset and used again": [cancelled, cancelled, cancelled, true],
  "a handler of a Gio.Cancellable may end the child": [true, 9],
  "what is no cancellable is a TypeError": Array(5).fill("TypeError"),
  "errors have the domains and codes of GLib": {
    exit: ["g-spawn-exit-error-quark", 3],
    missing: ["g-exec-error-quark", "NOENT"],
    directory: ["g-exec-error-quark", "CHDIR"],
    file: ["g-io-error-quark", "NOT_FOUND"],
  },
  "output streams while the child runs": [["1\n", "2\n", "3\n"], true],
  "a launcher takes descriptors, a working directory and an environment": ["/usr\n/dev/null\n2\n", true],
  "many children at once all come to their ends": [0, 1, 2, 3, 4, 5, 6, 7],
  "timers of Node's go on meanwhile": true,
};

const expectedInLoop: Readonly<Record<string, unknown>> = {
  ...expected,
  "GLib's sources go on while a child runs, and end it": [cancelled, 5],
  "a child is launched from a callback of GLib's": ["hello\n", null],
  "a child runs while a callback of GLib's runs a loop of its own": ["hello\n", null],
};

async function run(program: string, ...args: string[]): Promise<Record<string, unknown>> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(execPath, ["--import", "tsx", path, ...args], { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  const ended = new Promise((resolve) => child.on("close", (...end) => resolve(end)));
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  assert.deepEqual(end, [0, null], stderr);
  assert.equal(stderr, "");
  return JSON.parse(stdout) as Record<string, unknown>;
}

const ways = [
  { way: "node", title: "without a GLib main loop", scenarios: expected },
  { way: "module", title: "in a GLib main loop that a module runs", scenarios: expectedInLoop },
  { way: "node-callback", title: "in a GLib main loop inside a callback of Node's", scenarios: expectedInLoop },
  { way: "glib-callback", title: "in a GLib main loop inside a callback of another one", scenarios: expectedInLoop },
] as const;

describe("with node-gtk", function () {
  this.timeout(90_000);
  before(requireNodeGtk);

  for (const { way, title, scenarios } of ways) {
    describe(title, () => {
      let results: Record<string, unknown> = {};
      before(async () => {
        results = await run("run-scenarios.ts", way);
      });

      for (const [name, expectation] of Object.entries(scenarios)) {
        it(name, () => assert.deepEqual(results[name], expectation));
      }

      it("nothing else was tried, and no process was left", () => {
        assert.deepEqual(Object.keys(results).sort(), Object.keys(scenarios).sort());
      });
    });
  }

  // node-gtk runs libuv inside GLib's loop, and not again inside of that
  it("a launch waits, as all of Node does, while a callback of Node's inside a GLib main loop runs another", async () => {
    const { events } = await run("loop-in-node-in-loop.ts");
    assert.deepEqual(events, ["inner loop begins", "GLib", "inner loop ends", "Node", "launched", "hello\n"]);
  });

  it("the example of the documentation runs", () => {
    const [, example] = /```js\n([^]*?)```/.exec(readFileSync(join(root, "docs/node-gtk.md"), "utf8")) ?? [];
    const path = join(root, "build/node-gtk/documentation.mjs");
    writeFileSync(path, `${example ?? ""}console.log(Buffer.from(stdout).toString());`);
    assert.equal(execFileSync(execPath, [path], { encoding: "utf8" }), "HELLO\n");
  });
});

/** What has GJS's own imports. */
const forGjs = /^gjs\/|^cli\/gjs/;

describe("without node-gtk", () => {
  it("the package is whole: it neither needs it nor looks for it", () => {
    const { dependencies = {}, ...others } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, object>;
    assert.ok(!("node-gtk" in dependencies));
    for (const kind of ["optionalDependencies", "peerDependencies", "devDependencies"]) assert.ok(!("node-gtk" in (others[kind] ?? {})));
    const modules = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((name) => /\.c?js$/.test(name) && !forGjs.test(name));
    assert.ok(modules.length > 50);
    for (const name of modules) {
      assert.doesNotMatch(readFileSync(join(root, "dist", name), "utf8"), /(from|import\(|require\() ?["'](node-gtk|gi:)/, name);
    }
  });
});
