import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SandboxReportData } from "../../src/node/index.js";
import { SandboxPermissions, SandboxSubprocessLauncher } from "../../src/node/index.js";
import { command, describeOnEachRuntime } from "./commands.js";

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function explain(...args: string[]): Result {
  const { status, stdout, stderr } = spawnSync(command(), ["explain", ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The command on a terminal, made by script(1). */
function explainOnTerminal(variables: Readonly<Record<string, string>>): string {
  const { stdout } = spawnSync("script", ["-qec", `${command()} explain`, "/dev/null"], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "", TERM: "xterm", ...variables },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return stdout;
}

describeOnEachRuntime("gio-sandbox explain", () => {
  it("prints what the launcher's own report says", () => {
    const report = new SandboxSubprocessLauncher({ permissions: new SandboxPermissions().share("network") }).explain();
    assert.deepEqual(explain("--share=network"), { status: 0, stdout: String(report), stderr: "" });
  });

  it("prints JSON on request, wherever that stands before the command", () => {
    const report = new SandboxSubprocessLauncher().explain();
    for (const args of [["--json"], ["--cwd=/", "--json"], ["--json", "--", "true", "--json"]]) {
      const { status, stdout } = explain(...args);
      assert.equal(status, 0);
      assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(report)));
    }
    assert.doesNotMatch(explain("--", "true", "--json").stdout, /^\{/);
  });

  it("is in colours on a terminal, unless they are unwanted or not there", () => {
    const isColoured = (text: string): boolean => text.includes("\u001b[32mdenied");
    assert.ok(isColoured(explainOnTerminal({})));
    assert.ok(!isColoured(explainOnTerminal({ NO_COLOR: "1" })));
    assert.ok(!isColoured(explainOnTerminal({ TERM: "dumb" })));
    assert.ok(!explain().stdout.includes("\u001b"));
  });

  it("refuses options as run does, and says where help is", () => {
    const { status, stderr } = explain("--bogus");
    assert.equal(status, 125);
    assert.match(stderr, /^gio-sandbox: [^\n]+ Try: gio-sandbox explain --help\n$/);
    assert.equal(explain("--filesystem=/no/such/path").status, 125);
    assert.match(explain("--help").stdout, /^Usage: gio-sandbox explain/);
  });
});

describeOnEachRuntime("gio-sandbox check", () => {
  function check(program: string, ...args: string[]): Result {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
    return { status, stdout, stderr };
  }

  it("says that bubblewrap works where it does", () => {
    const { status, stdout } = check(command(), "check");
    assert.equal(status, 0);
    assert.match(stdout, /^bubblewrap +works {2}\/.*bwrap, version \d+\.\d+\.\d+\.$/m);
    const result = JSON.parse(check(command(), "check", "--json").stdout) as { canSandbox: boolean };
    assert.equal(result.canSandbox, true);
  });

  it("says that it does not work in a sandbox, and why", () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const node = fileURLToPath(new URL(`file://${process.execPath}`));
    const inside = [`--filesystem=${root}:ro`, ...(node.startsWith("/usr/") ? [] : [`--filesystem=${node}:ro`])];
    const { status, stdout } = check(command(), "run", ...inside, "--", node, `${root}dist/cli/node.js`, "check");
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^bubblewrap +no +the kernel does not let this user/m);
    assert.match(stdout, /can make no sandbox here/);
  });

  it("has no other options", () => {
    assert.equal(check(command(), "check", "--bogus").status, 125);
    assert.match(check(command(), "check", "--help").stdout, /^Usage: gio-sandbox check/);
  });
});

describe("the report as JSON", () => {
  it("keeps its keys", () => {
    const { backend, guarantees, filesystem } = JSON.parse(explain("--json").stdout) as SandboxReportData;
    assert.equal(backend, "bubblewrap");
    assert.deepEqual(Object.keys(guarantees[0] ?? {}).sort(), [
      ...["access", "aspect", "enforcement", "mechanisms", "observations", "required", "sentences", "shortfall"],
    ]);
    assert.deepEqual(Object.keys(filesystem?.[0] ?? {}).sort(), [
      ...["isDirectory", "kind", "mode", "optional", "path", "size", "source", "writable"],
    ]);
  });
});
