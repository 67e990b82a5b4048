/** The tests of what depends on who runs it, once more as an ordinary user. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A user and group that nobody has. */
const ORDINARY = 64_321;

const files = [
  ...["test/node/gsubprocess/upstream.test.ts", "test/node/gsubprocess/semantics.test.ts"],
  ...["test/node/descriptors.test.ts", "test/node/bad-input.test.ts", "test/node/hostile-children.test.ts"],
  ...["test/node/desktop/bus.test.ts", "test/node/desktop/display.test.ts", "test/node/desktop/services.test.ts"],
  ...["test/node/limits.test.ts", "test/cli/run-limits.test.ts"],
  ...["test/cli/run.test.ts", "test/cli/run-options.test.ts", "test/node/profiles.test.ts"],
  ...["test/conformance/bubblewrap.test.ts", "test/cli/report-option.test.ts", "test/node/reports.test.ts"],
];

interface Results {
  readonly stats: { readonly passes: number; readonly failures: number };
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
}

/**
 * Runs mocha as the ordinary user. The repository may lie where that user cannot go, so it is bound to a place where
 * everybody can, in a mount namespace of its own.
 */
function runAsOrdinaryUser(directory: string): { readonly results: Results; readonly stderr: string } {
  const place = join(directory, "gio-sandbox");
  const home = join(directory, "home");
  const report = join(directory, "home/report.json");
  mkdirSync(place);
  mkdirSync(home);
  chmodSync(directory, 0o755);
  chownSync(home, ORDINARY, ORDINARY);
  // dbus-daemon serves nobody whose name it cannot find
  const users = join(directory, "passwd");
  writeFileSync(users, `${readFileSync("/etc/passwd", "utf8")}ordinary:x:${ORDINARY}:${ORDINARY}::${home}:/bin/sh\n`);
  const script = [
    'mount --bind "$1" "$2" && mount --bind "$3" /etc/passwd && cd "$2" && shift 3',
    `exec setpriv --reuid=${ORDINARY} --regid=${ORDINARY} --clear-groups --inh-caps=-all --bounding-set=-all "$@"`,
  ].join("\n");
  const mocha = [process.execPath, "node_modules/mocha/bin/mocha.js", "--reporter", "json", "--reporter-option", `output=${report}`];
  const { stderr } = spawnSync("unshare", ["--mount", "sh", "-c", script, "sh", root, place, users, ...mocha, ...files], {
    encoding: "utf8",
    env: { ...process.env, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home, npm_config_cache: home, GIO_SANDBOX_TEST_FIGURES: "" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  return { results: JSON.parse(readFileSync(report, "utf8")) as Results, stderr };
}

describe("as an ordinary user", function () {
  this.timeout(240_000);

  it("the tests of children, of descriptors, of misuse and of the command pass too", function () {
    // who is no root has run them already
    if (process.getuid?.() !== 0) this.skip();
    const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-user-"));
    try {
      const { results, stderr } = runAsOrdinaryUser(directory);
      assert.deepEqual(results.failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message ?? ""}`), [], stderr);
      assert.ok(results.stats.passes > 100, stderr);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
