import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, realpathSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arch } from "node:process";
import type { LauncherProperties } from "../../src/node/index.js";
import { SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { ALLOW } from "../../src/seccomp/action.js";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures } from "../../src/seccomp/architecture.js";
import { compileSyscallPolicy } from "../../src/seccomp/compile-policy.js";
import { compileRules } from "../../src/seccomp/compile-rules.js";
import { interpreter } from "../../src/seccomp/interpret.js";
import { Code, decodeProgram, encodeProgram } from "../../src/seccomp/program.js";
import { systemCalls } from "../../src/seccomp/system-calls.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import { fixture, fixturePermissions } from "../node/gsubprocess/children.js";
import { skipWithout } from "./missing.js";

const program = fixture("syscalls");
const native: Architecture = arch === "arm64" ? "aarch64" : "x86_64";
const F = SubprocessFlags;

/** A system call to make, and where. */
interface Probe {
  readonly architecture: Architecture;
  readonly name: string;
  readonly number: number;
  readonly arguments: readonly bigint[];
}

function probe(architecture: Architecture, name: string, ...args: bigint[]): Probe {
  const number = systemCalls(architecture).get(name) ?? assert.fail(`${architecture} has no ${name}`);
  return { architecture, name, number, arguments: args };
}

function word({ architecture, number, arguments: args }: Probe): string {
  return [architecture === native ? "native" : architecture, number, ...args].join(":");
}

function text({ architecture, name, number, arguments: args }: Probe): string {
  return `${name}(${args.map((value) => `0x${value.toString(16)}`).join(", ")}), ${number} on ${architecture}`;
}

function lines(output: string): string[] {
  return output.split("\n").slice(0, -1);
}

/** Permissions to run the probe program, with a policy of system calls. */
function withPolicy(filter: readonly string[], errno?: string): SandboxPermissions {
  return fixturePermissions().setSyscalls(filter, errno);
}

/** What a command writes in a sandbox of the launcher's. */
async function output(permissions: SandboxPermissions, ...argv: string[]): Promise<string> {
  const properties: LauncherProperties = { permissions, flags: F.STDOUT_PIPE | F.STDERR_MERGE };
  const child = await new SandboxSubprocessLauncher(properties).spawnvAsync(argv);
  const [stdout] = await child.communicateUtf8Async(null);
  assert.equal(child.getIfExited() && child.getExitStatus(), 0, `${argv.join(" ")}: ${stdout ?? ""}`);
  return stdout ?? "";
}

/** What a command writes in a bwrap of the test's own, with a filter. */
function outputWithFilter(filter: Uint8Array, ...argv: string[]): string {
  const path = join(tmpdir(), `gio-sandbox-filter-${process.pid}`);
  const fd = openSync(path, "wx+", 0o600);
  rmSync(path);
  try {
    writeSync(fd, filter, 0, filter.length, 0);
    const options = [
      "--unshare-all",
      "--die-with-parent",
      "--ro-bind",
      "/",
      "/",
      "--dev",
      "/dev",
      "--seccomp",
      "3",
      "--",
    ];
    const result = spawnSync("bwrap", [...options, ...argv], {
      stdio: ["ignore", "pipe", "pipe", fd],
      encoding: "utf8",
    });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  } finally {
    closeSync(fd);
  }
}

const SECCOMP_RET_ERRNO = 0x00050000;

/** Errors that no system call has of itself, so that it is the filter that they come from. */
const MARK = 1000;

function marked(filter: Uint8Array): Uint8Array {
  return encodeProgram(
    decodeProgram(filter).map((instruction) => {
      const isRefusal = instruction.code === Code.RETURN && (instruction.value & 0xffff0000) === SECCOMP_RET_ERRNO;
      return isRefusal ? { ...instruction, value: instruction.value + MARK } : instruction;
    }),
  );
}

/** The errno that the filter gives; null if it lets the call pass. */
function refusal(filter: Uint8Array, { architecture, number, arguments: args }: Probe): number | null {
  const { action } = interpreter(filter)({ number, audit: architectures[architecture].audit, arguments: args });
  if (action === ALLOW) return null;
  assert.equal((action & 0xffff0000) >>> 0, SECCOMP_RET_ERRNO);
  return action & 0xffff;
}

const DIRTY = [0n, 1n << 32n, 0xffffffffn << 32n];
const CLONE_NEWUSER = 0x10000000n;
const SIGCHLD = 17n;

/** Every entry of the default list, and calls that are close to those with tests. */
function probesOfDefault(architecture: Architecture): Probe[] {
  const { refused } = compileSyscallPolicy({ kind: "default" }, architecture).summary;
  const high = architectures[architecture].isWide ? DIRTY : [0n];
  return [
    ...refused.map((name) => probe(architecture, name)),
    ...high.flatMap((dirt) => [
      probe(architecture, "clone", CLONE_NEWUSER | SIGCHLD | dirt),
      probe(architecture, "clone", CLONE_NEWUSER | 0x20000000n | SIGCHLD | dirt),
      // no descriptor −1 is a terminal, or anything
      ...[0x5412n, 0x541cn, 0x5411n, 0x5413n, 0x541bn].map((command) =>
        probe(architecture, "ioctl", 0xffffffffn, command | dirt),
      ),
      ...[0n, 8n, 0x0040000n, 0xffffffffn].map((value) => probe(architecture, "personality", value | dirt)),
      // families without a protocol 99, so that those that are let through make none
      ...Array.from({ length: 48 }, (_, family) => probe(architecture, "socket", BigInt(family) | dirt, 1n, 99n)),
    ]),
    probe(architecture, "clone", SIGCHLD),
    ...(architecture === "i386" ? [1n, 2n, 3n].map((call) => probe("i386", "socketcall", call)) : []),
    ...["getpid", "gettid", "getppid", "sched_yield"].map((name) => probe(architecture, name)),
  ];
}

describe("the kernel with the default list", () => {
  const { bytes } = compileSyscallPolicy({ kind: "default" }, native).sandbox;

  function assertRefusals(probes: readonly Probe[], results: readonly string[], mark: number): void {
    assert.equal(results.length, probes.length);
    probes.forEach((each, index) => {
      const result = results[index] ?? "";
      const expected = refusal(bytes, each);
      if (expected !== null) {
        assert.equal(result, String(-expected - mark), text(each));
      } else {
        assert.ok(!result.startsWith("signal"), `${text(each)}: ${result}`);
        if (mark > 0) assert.ok(Number(result) > -mark, `${text(each)}: ${result}`);
      }
    });
    assert.ok(probes.filter((each) => refusal(bytes, each) !== null).length > 80);
  }

  it("refuses every entry of the list, and nothing besides, as the interpreter says", () => {
    const probes = probesOfDefault(native);
    assertRefusals(probes, lines(outputWithFilter(marked(bytes), program, ...probes.map(word))), MARK);
  });

  it("gives every entry's error to a child of the launcher", async () => {
    const probes = probesOfDefault(native);
    assertRefusals(probes, lines(await output(fixturePermissions(), program, ...probes.map(word))), 0);
  });

  it("does the same to a program that makes its calls as a 32-bit one", async function () {
    if (native !== "x86_64") this.skip();
    const canDo = lines(outputWithFilter(bytes, program, word(probe("i386", "getpid"))))[0] ?? "";
    skipWithout(this, canDo.startsWith("signal") ? ["a kernel with IA32 emulation"] : []);
    const probes = probesOfDefault("i386");
    assertRefusals(probes, lines(outputWithFilter(marked(bytes), program, ...probes.map(word))), MARK);
    assertRefusals(probes, lines(await output(fixturePermissions(), program, ...probes.map(word))), 0);
  });

  it("kills a program that makes its calls as one of an architecture that is not covered", function () {
    if (native !== "x86_64") this.skip();
    const filter = compileRules({ rules: [], otherwise: ALLOW }, ["x86_64"]).bytes;
    const calls = ["native", "i386", "native"].map((abi) => `${abi}:${systemCalls("x86_64").get("getpid") ?? 0}`);
    const [before = "", foreign, after = ""] = lines(outputWithFilter(filter, program, ...calls));
    assert.equal(foreign, "signal 31");
    assert.ok(Number(before) > 0 && Number(after) > 0);
  });

  it("refuses numbers of x32, and leaves −1 and numbers that nobody has to the kernel", async () => {
    const numbers = [0x40000000, 0x40000000 + 39, 0x7fffffff, -1, 700];
    const calls = numbers.map((number) => `native:${number}`);
    const results = lines(outputWithFilter(marked(bytes), program, ...calls));
    const x32 = native === "x86_64" ? String(-MARK - 38) : "-38";
    assert.deepEqual(results, [x32, x32, x32, "-38", "-38"]);
    assert.deepEqual(lines(await output(fixturePermissions(), program, ...calls)), ["-38", "-38", "-38", "-38", "-38"]);
  });

  it("runs ordinary programs", async () => {
    const permissions = new SandboxPermissions();
    assert.equal(
      await output(permissions, "sh", "-c", "echo b a | tr ' ' '\\n' | sort | tr -d '\\n'; (exit 3) || echo :$?"),
      "ab:3\n",
    );
    const perl =
      "use Socket; socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0); if (!fork) { print $a 7; exit } close $a; print <$b>";
    assert.equal(await output(permissions, "perl", "-e", perl), "7");
    assert.equal(await seccompFilters(permissions), 1);
  });

  it("runs programs with threads and children", async () => {
    assert.equal(await output(new SandboxPermissions(), "/usr/bin/python3", "-c", pythonProgram), "thread child\n");
    const permissions = new SandboxPermissions().addFilesystem(`${realpathSync(process.execPath)}:ro`);
    assert.equal(await output(permissions, realpathSync(process.execPath), "-e", nodeProgram), "thread child\n");
  });
});

const pythonProgram = `
import subprocess, threading
words = []
thread = threading.Thread(target=lambda: words.append("thread"))
thread.start()
thread.join()
print(words[0], subprocess.run(["echo", "child"], capture_output=True, text=True).stdout, end="")
`;

const nodeProgram = `
const { Worker } = require("node:worker_threads");
const { execFile } = require("node:child_process");
new Worker("require('node:worker_threads').parentPort.postMessage('thread')", { eval: true }).on("message", (word) => {
  execFile("echo", ["child"], (error, stdout) => process.stdout.write(error ? String(error) : word + " " + stdout));
});
`;

async function seccompFilters(permissions: SandboxPermissions): Promise<number> {
  const status = await output(permissions, "cat", "/proc/self/status");
  return Number(/^Seccomp_filters:\t(\d+)$/m.exec(status)?.[1]);
}

describe("the kernel with a policy's own list", () => {
  const call = (name: string): string => word(probe(native, name));

  it("refuses what the list does not allow, besides the default's", async () => {
    const permissions = withPolicy(["@system-service", "sysinfo:EXDEV"], "ENOTUNIQ");
    const results = await output(
      permissions,
      program,
      ...["seccomp", "swapoff", "sysinfo", "keyctl", "clone3", "mount", "getpid"].map(call),
    );
    // keyctl is allowed by the group, and not by the default; what both refuse has the policy's error
    assert.deepEqual(lines(results).slice(0, -1), ["-76", "-76", "-18", "-1", "-38", "-76"]);
    assert.ok(Number(lines(results)[6]) > 0);
    assert.equal(await seccompFilters(permissions), 2);
  });

  it("runs ordinary programs with @system-service alone", async () => {
    const permissions = withPolicy(["@system-service"]);
    assert.equal(await output(permissions, "sh", "-c", "ls -d /usr | cat; true & wait; echo $?"), "/usr\n0\n");
    assert.equal(await output(permissions, "perl", "-e", "sleep 0; print -d '/usr' ? 'yes' : 'no'"), "yes");
    assert.equal(await output(permissions, "/usr/bin/python3", "-c", pythonProgram), "thread child\n");
  });

  it("refuses what the list blocks, with its errors, and starts programs that it does not", async () => {
    const permissions = withPolicy(["~@chown", "ptrace:ENOSYS", "uname:ENOTUNIQ"], "EROFS");
    const results = await output(permissions, program, ...["fchown", "ptrace", "uname", "mount", "getpid"].map(call));
    assert.deepEqual(lines(results).slice(0, 4), ["-30", "-38", "-76", "-1"]);
    assert.equal(await output(permissions, "echo", "x"), "x\n");
  });

  it("starts a program with nothing but @default, so that its own first calls are what fails", async () => {
    const permissions = withPolicy(["@default"], "EPERM");
    const launcher = new SandboxSubprocessLauncher({ permissions, flags: F.STDOUT_SILENCE | F.STDERR_SILENCE });
    // /bin/true is linked dynamically: it may not open its libraries
    const child = await launcher.spawnvAsync(["/bin/true"]);
    await child.waitAsync();
    assert.equal(child.getIfExited() && child.getExitStatus(), 127);
  });

  it("holds for each process in an open sandbox, too", async () => {
    const permissions = withPolicy(["~uname"], "ENOTUNIQ");
    await using sandbox = await new SandboxSubprocessLauncher({ permissions }).openSandboxAsync();
    for (let round = 0; round < 2; round++) {
      const launcher = new SandboxSubprocessLauncher({ sandbox, flags: F.STDOUT_PIPE });
      const child = await launcher.spawnvAsync([program, call("uname"), call("mount")]);
      assert.deepEqual(await child.communicateUtf8Async(null), ["-76\n-1\n", null]);
    }
  });

  it("is an error before anything starts if a name is none", async () => {
    const permissions = withPolicy(["~ptarce"]);
    await assert.rejects(new SandboxSubprocessLauncher({ permissions, flags: 0 }).spawnvAsync(["true"]), (error) => {
      return (
        error instanceof GLibError &&
        error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION) &&
        error.message.includes("“ptrace”")
      );
    });
  });
});
