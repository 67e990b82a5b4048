import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { helpText } from "../../src/cli/help.js";
import { runOptionTable, sections, UsageError } from "../../src/cli/run-options.js";
import { loadProfile } from "../../src/node/profiles.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { devices, limits, shares, sockets } from "../../src/permissions/vocabulary.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { invalidMessage } from "../permissions/invalid.js";
import { parseRunOptions } from "./commands.js";

const command = fileURLToPath(new URL("../../bin/gio-sandbox", import.meta.url));

/** The permissions of a command line, as a file. */
function granted(...options: string[]): string {
  return parseRunOptions([...options, "--", "true"]).permissions.toKeyFile();
}

function run(...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, ["run", ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Of all processes that are there. */
function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
}

describe("the permissions of gio-sandbox run", () => {
  it("are nothing without an option", () => {
    assert.equal(granted(), "");
  });

  it("have each word of each option, and its opposite", () => {
    for (const [add, remove, words, key] of [
      ["--share", "--unshare", shares, "shared"],
      ["--socket", "--nosocket", sockets, "sockets"],
      ["--device", "--nodevice", devices, "devices"],
      ["--allow", "--disallow", ["portals", "a11y"], "features"],
    ] as const) {
      for (const word of words) {
        assert.equal(granted(`${add}=${word}`), `[Context]\n${key}=${word};\n`);
        assert.equal(granted(add, word), `[Context]\n${key}=${word};\n`);
        assert.equal(granted(`${add}=${word}`, `${remove}=${word}`), "");
        assert.equal(granted(`${remove}=${word}`, `${add}=${word}`), `[Context]\n${key}=${word};\n`);
      }
      for (const option of [add, remove]) assert.match(invalidMessage(() => granted(`${option}=no-such-word`)), /no-such-word/);
    }
  });

  it("have file systems with modes, and without them", () => {
    assert.equal(
      granted("--filesystem=/a", "--filesystem=~/b:ro", "--filesystem=xdg-music/c:create", "--filesystem=host-fonts", "--filesystem=/d:ro-try"),
      "[Context]\nfilesystems=/a;/d:ro-try;host-fonts:ro;xdg-music/c:create;~/b:ro;\n",
    );
    assert.equal(granted("--filesystem=/a", "--filesystem=home", "--nofilesystem=/a", "--nofilesystem=~/.ssh"), "[Context]\nfilesystems=home;!/a;!~/.ssh;\n");
    assert.equal(granted("--filesystem=/a", "--nofilesystem=host:reset"), "");
    assert.equal(granted("--filesystem=/odd:name:rw"), "[Context]\nfilesystems=/odd\\\\:name;\n");
    invalidMessage(() => granted("--filesystem=relative"));
    invalidMessage(() => granted("--nofilesystem=/a:ro/.."));
  });

  it("have names on both buses", () => {
    for (const [prefix, group] of [
      ["--", "Session Bus Policy"],
      ["--system-", "System Bus Policy"],
    ] as const) {
      for (const policy of ["talk", "own", "see"]) {
        assert.equal(granted(`${prefix}${policy}-name=a.b.*`), `[${group}]\na.b.*=${policy}\n`);
        assert.equal(granted(`${prefix}${policy}-name=a.b`, `${prefix}no-talk-name=a.b`), "");
        invalidMessage(() => granted(`${prefix}${policy}-name=nodot`));
      }
      assert.match(invalidMessage(() => granted(`${prefix}talk-name=a.b.*`, `${prefix}no-talk-name=a.b.c`)), /cannot be taken away/);
    }
  });

  it("have system calls, apart by commas or spaces", () => {
    assert.equal(granted("--syscalls=@system-service,ptrace:ENOSYS"), "[Syscalls]\nfilter=@system-service;ptrace:ENOSYS;\n");
    assert.equal(granted("--syscalls=~@clock @keyring"), "[Syscalls]\nfilter=~@clock;@keyring;\n");
    assert.equal(granted("--syscalls=a", "--syscalls="), "");
    invalidMessage(() => granted("--syscalls=A"));
  });

  it("have limits with units, and a timeout", () => {
    assert.equal(granted("--limit=memory=512M", "--limit", "cpu-time=10s", "--timeout=30s"), "[Limits]\ncpu-time=10s\nmemory=512M\ntimeout=30s\n");
    assert.equal(granted("--limit=timeout=1m"), granted("--timeout=60"));
    for (const limit of limits) assert.equal(granted(`--limit=${limit}=5`, `--limit=${limit}=default`), "");
    assert.equal(granted("--timeout=5", "--timeout=default"), "");
    assert.match(invalidMessage(() => granted("--limit=speed=1")), /one of memory.*as a limit, but got “speed”/);
    assert.match(invalidMessage(() => granted("--limit=memory")), /a size such as 512M.*got “”/);
    assert.match(invalidMessage(() => granted("--timeout=soon")), /a time such as 30s.*got “soon”/);
    assert.match(invalidMessage(() => granted("--timeout=0")), /at least 1/);
  });

  it("start from a profile, wherever it stands", () => {
    const expected = loadProfile("thumbnailer").share("network").setLimit("memory", 2 ** 20).toKeyFile();
    assert.equal(granted("--profile=thumbnailer", "--share=network", "--limit=memory=1M"), expected);
    assert.equal(granted("--limit=memory=1M", "--share=network", "--profile", "thumbnailer"), expected);
    assert.equal(granted("--profile=strict"), "");
  });

  it("take several profiles, each on top of the one before", () => {
    using directory = temporaryDirectory();
    const [one, two] = [join(directory.path, "one"), join(directory.path, "two")];
    writeFileSync(one, "[Context]\nshared=network;ipc;\n[Limits]\nmemory=1G\n");
    writeFileSync(two, "[Context]\nshared=!network;\n[Limits]\nmemory=default\n");
    assert.equal(granted(`--profile=${one}`, `--profile=${two}`), "[Context]\nshared=ipc;\n");
    assert.equal(granted(`--profile=${two}`, `--profile=${one}`), "[Context]\nshared=ipc;network;\n[Limits]\nmemory=1G\n".replace("\n[L", "\n\n[L"));
  });
});

describe("an option of gio-sandbox run", () => {
  it("is named in the help, under one of its headings, with lines that fit", () => {
    for (const [name, { section, value, help }] of runOptionTable) {
      assert.match(name, /^--[a-z-]+$/);
      assert.ok(sections.includes(section));
      assert.ok(help !== "", name);
      assert.ok(helpText("run").includes(`\n  ${name}=${value}`), name);
    }
    for (const line of helpText("run").split("\n")) assert.ok(line.length <= 122, line);
  });

  it("needs a value, and can have one with an equals sign in it, or none", () => {
    for (const name of runOptionTable.keys()) {
      assert.throws(() => parseRunOptions([name]), UsageError);
      assert.throws(() => parseRunOptions([name, "--", "x"]), UsageError);
    }
    assert.deepEqual(parseRunOptions(["--env=A=b=c", "--env", "D=", "x"]).environment, [["A", "b=c"], ["D", ""]]);
    for (const value of ["", "=", "=x", "A"]) assert.throws(() => parseRunOptions([`--env=${value}`, "x"]), UsageError);
  });

  it("is none of the command's", () => {
    const { argv, permissions } = parseRunOptions(["--share=ipc", "cmd", "--share=network", "--", "--socket=x11"]);
    assert.deepEqual(argv, ["cmd", "--share=network", "--", "--socket=x11"]);
    assert.ok(permissions.equals(new SandboxPermissions().share("ipc")));
  });

  it("that there is not is an error, before any profile is read", () => {
    assert.throws(() => parseRunOptions(["--profile=/no/such/file", "--bad=x", "--", "true"]), new UsageError("There is no option “--bad”"));
    assert.throws(() => parseRunOptions(["--share=ipc"]), UsageError);
  });
});

describe("gio-sandbox run with limits and profiles", () => {
  it("exits with 124 and one line when the time is over, with all that was started gone", () => {
    const start = performance.now();
    const { status, stdout, stderr } = run("--timeout=300ms", "--", "sh", "-c", "sleep 60.4711 & sleep 60.4711");
    assert.deepEqual([status, stdout], [124, ""]);
    assert.match(stderr, /^gio-sandbox: [^\n]*300 ms[^\n]*\n$/);
    assert.ok(performance.now() - start < 10_000);
    assert.deepEqual(commandLines().filter((line) => line.includes("60.4711")), []);
  });

  it("exits as the command does if that is in time, also with 124, and if it kills itself", () => {
    assert.deepEqual(run("--timeout=20s", "--", "sh", "-c", "exit 124"), { status: 124, stdout: "", stderr: "" });
    assert.deepEqual(run("--timeout=20s", "--", "sh", "-c", "kill -9 $$"), { status: 137, stdout: "", stderr: "" });
    assert.deepEqual(run("--timeout=20s", "--", "true"), { status: 0, stdout: "", stderr: "" });
  });

  it("sets a profile's variables and limits, with its own on top", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "x.profile");
    writeFileSync(path, "[Environment]\nA=profile\nB=profile\n[Limits]\nopen-files=77\nfile-size=4096\n");
    const script = 'echo "$A $B $(ulimit -n) $(ulimit -f)"';
    assert.equal(run(`--profile=${path}`, "--env=B=own", "--limit=open-files=78", "--", "bash", "-c", script).stdout, "profile own 78 4\n");
  });

  it("exits with 125 and one line for a profile that is wrong, with file, line and key", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "x.profile");
    writeFileSync(path, "[Context]\nshared=all;\n");
    const { status, stderr } = run(`--profile=${path}`, "--", "true");
    assert.equal(status, 125);
    assert.equal(stderr, `gio-sandbox: ${path}: Line 2, shared in [Context]: Expected network or ipc as something to share, but got “all”\n`);
    assert.match(run("--profile=no-such-profile", "--", "true").stderr, /^gio-sandbox: There is no profile “no-such-profile”[^\n]*\n$/);
    assert.equal(run("--profile=no-such-profile", "--", "true").status, 125);
  });
});
