import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exitCodeOfError } from "../../src/cli/exit-code.js";
import { helpText } from "../../src/cli/help.js";
import { runOptionTable, UsageError } from "../../src/cli/run-options.js";
import { chdirError, execError, forkError, sandboxError } from "../../src/subprocess/glib-error.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { command, describeOnEachRuntime, parseRunOptions } from "./commands.js";

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function gioSandbox(args: readonly string[], input = ""): Result {
  const { status, stdout, stderr } = spawnSync(command(), args, { input, encoding: "utf8" });
  return { status, stdout, stderr };
}

function run(...args: string[]): Result {
  return gioSandbox(["run", ...args]);
}

describeOnEachRuntime("gio-sandbox run", () => {
  it("passes standard streams and the exit status through", () => {
    const result = gioSandbox(["run", "--", "sh", "-c", "cat; echo err >&2; exit 7"], "in\n");
    assert.deepEqual(result, { status: 7, stdout: "in\n", stderr: "err\n" });
  });

  it("exits with 128 + n for a command that signal n ended, and with its own 137 for one that says so", () => {
    assert.equal(run("--", "sh", "-c", "kill -9 $$").status, 137);
    assert.equal(run("--", "sh", "-c", "kill -15 $$").status, 143);
    assert.equal(run("--", "sh", "-c", "exit 137").status, 137);
  });

  it("exits with 127 and one line for a command that is not found", () => {
    assert.deepEqual(run("--", "no-such-command"), {
      status: 127,
      stdout: "",
      stderr: "gio-sandbox: Failed to execute child process “no-such-command” (No such file or directory)\n",
    });
  });

  it("exits with 126 and one line for a command that cannot be executed", () => {
    assert.deepEqual(run("--", "/etc"), {
      status: 126,
      stdout: "",
      stderr: "gio-sandbox: Failed to execute child process “/etc” (Permission denied)\n",
    });
    assert.equal(run("--cwd=/nowhere", "--", "true").status, 126);
  });

  it("exits with 125 and one line for a sandbox that cannot be had", () => {
    const result = run("--filesystem=/no/such/path", "--", "true");
    assert.deepEqual(result, {
      status: 125,
      stdout: "",
      stderr: "gio-sandbox: “/no/such/path” cannot be granted: No such file or directory\n",
    });
    assert.equal(run("--filesystem=relative", "--", "true").status, 125);
    assert.equal(run("--share=everything", "--", "true").status, 125);
  });

  it("exits with 125 and one line for options that are none, and says where help is", () => {
    for (const args of [["run"], ["run", "--"], ["run", "--bad", "--", "true"], ["run", "--env=x", "--", "true"], ["walk"], []]) {
      const { status, stdout, stderr } = gioSandbox(args);
      assert.equal(status, 125, args.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, /^gio-sandbox: [^\n]+ Try: gio-sandbox run --help\n$/);
    }
  });

  it("shows control characters of foreign text escaped", () => {
    assert.match(run("--", "/\u001b[31mred").stderr, /“\/\\u\{1b\}\[31mred”/);
  });

  it("gives a directory to read, or to write", () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "in"), "hello");
    const { path } = directory;
    const read = run(`--filesystem=${path}:ro`, "--", "sh", "-c", `cat ${path}/in; echo x > ${path}/out`);
    assert.equal(read.stdout, "hello");
    assert.match(read.stderr, /Read-only file system/);
    assert.equal(run(`--filesystem=${path}:rw`, "--", "sh", "-c", `echo x > ${path}/out`).status, 0);
    assert.equal(readFileSync(join(path, "out"), "utf8"), "x\n");
    assert.equal(run(`--filesystem=${path}`, "--", "test", "-w", path).status, 0);
    assert.equal(run("--", "test", "-e", path).status, 1);
  });

  it("sets variables and the working directory", () => {
    const result = run("--env=A=b=c", "--env=TERM=x", "--unset-env=LANG", "--cwd=/tmp", "--", "sh", "-c", 'echo "$A $TERM $LANG $PWD"');
    assert.equal(result.stdout, "b=c x  /tmp\n");
  });

  it("isolates the network unless it is shared", () => {
    const interfaces = (...options: string[]): string[] =>
      run(...options, "--", "sh", "-c", "cut -d: -f1 -s /proc/net/dev").stdout.split("\n").map((line) => line.trim());
    const host = spawnSync("sh", ["-c", "cut -d: -f1 -s /proc/net/dev"], { encoding: "utf8" }).stdout.split("\n");
    assert.deepEqual(interfaces().filter((name) => name !== ""), ["lo"]);
    assert.deepEqual(interfaces("--share=network"), host.map((line) => line.trim()));
  });

  it("forwards the descriptors that it is told to, also high ones, and no other", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "in");
    writeFileSync(path, "from a descriptor\n");
    const script = `exec 5<${path} 103<${path} 7<${path}; exec "$0" run --forward-fd=5 --forward-fd=103 -- sh -c 'cat <&5; ls /proc/self/fd'`;
    const result = spawnSync("bash", ["-c", script, command()], { encoding: "utf8" });
    assert.deepEqual(result.stdout.trim().split("\n"), ["from a descriptor", "0", "1", "103", "2", "3", "5"]);
  });

  it("refuses to forward a descriptor that it did not inherit", () => {
    for (const fd of [3, 10, 11, 17, 900]) {
      const result = run(`--forward-fd=${fd}`, "--", "true");
      assert.equal(result.status, 125, String(fd));
      assert.match(result.stderr, /Bad file descriptor/);
    }
  });

  it("passes signals on, and ends as its command does", async () => {
    const script = 'trap "echo got TERM; exit 3" TERM; trap "echo got USR1" USR1; echo up; while :; do sleep 0.05; done';
    const child = spawn(command(), ["run", "--", "sh", "-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (text.includes("up")) child.kill("SIGUSR1");
      if (text.includes("USR1")) child.kill("SIGTERM");
    });
    const [status] = (await once(child, "close")) as [number];
    assert.equal(output, "up\ngot USR1\ngot TERM\n");
    assert.equal(status, 3);
  });

  it("takes its command without “--” too, and leaves its options alone", () => {
    assert.equal(run("printf", "%s", "--help").stdout, "--help");
    assert.equal(run("--", "printf", "%s %s", "--version", "--").stdout, "--version --");
    assert.equal(run("--cwd", "/usr", "pwd").stdout, "/usr\n");
  });

  it("has all of its options to itself, and gives the command its own", () => {
    const words = ["run", "--profile=strict", "--env=A=b", "--", "echo", "--version", "--profile=x", "--help", "-c", "--"];
    assert.deepEqual(gioSandbox(words), { status: 0, stdout: "--version --profile=x --help -c --\n", stderr: "" });
  });

  it("works through a symbolic link, as npm installs commands", () => {
    using directory = temporaryDirectory();
    const link = join(directory.path, "gio-sandbox");
    symlinkSync(command(), link);
    assert.match(spawnSync(link, ["--version"], { encoding: "utf8" }).stdout, /^gio-sandbox \d+\.\d+\.\d+\n$/);
  });

  it("can read from a terminal's input that is a file", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "in");
    writeFileSync(path, "file");
    const input = openSync(path, "r");
    assert.equal(spawnSync(command(), ["run", "cat"], { stdio: [input, "pipe", "pipe"], encoding: "utf8" }).stdout, "file");
  });
});

describe("the help", () => {
  it("is shown on request, with examples, and names every option", () => {
    assert.deepEqual(gioSandbox(["--help"]), { status: 0, stdout: helpText(undefined), stderr: "" });
    assert.deepEqual(run("--help"), { status: 0, stdout: helpText("run"), stderr: "" });
    assert.match(helpText("run"), /Examples:/);
    for (const option of runOptionTable.keys()) assert.ok(helpText("run").includes(`  ${option}=`), option);
  });
});

describe("the options of run", () => {
  it("are read in order, each form of them", () => {
    const options = parseRunOptions(["--share", "network", "--env=A=1", "--unset-env=B", "--forward-fd=5", "--", "a", "-b"]);
    assert.ok(options.permissions.snapshot().shared.has("network"));
    assert.deepEqual(options.environment, [
      ["A", "1"],
      ["B", null],
    ]);
    assert.deepEqual(options.descriptors, [5]);
    assert.deepEqual(options.argv, ["a", "-b"]);
    assert.equal(options.directory, null);
  });

  it("without the value that they need are an error that shows it", () => {
    assert.throws(() => parseRunOptions(["--cwd"]), new UsageError("--cwd needs a value: --cwd=DIR"));
    assert.throws(() => parseRunOptions(["--cwd", "--", "x"]), UsageError);
    assert.throws(() => parseRunOptions(["--forward-fd=x", "y"]), UsageError);
  });
});

describe("the exit code for a command that never ran", () => {
  it("tells the command's fault from the sandbox's", () => {
    assert.equal(exitCodeOfError(execError("ENOENT", "x")), 127);
    assert.equal(exitCodeOfError(execError("EACCES", "x")), 126);
    assert.equal(exitCodeOfError(execError("ENOEXEC", "x")), 126);
    assert.equal(exitCodeOfError(chdirError("ENOENT", "/x")), 126);
    assert.equal(exitCodeOfError(forkError("EAGAIN")), 125);
    assert.equal(exitCodeOfError(sandboxError("SETUP_FAILED", "x")), 125);
    assert.equal(exitCodeOfError(new Error("x")), 125);
  });
});
