/** Root directories that init makes, beside those that bwrap makes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { failing } from "../native/filters.js";
import { temporaryDirectory } from "./gsubprocess/children.js";

const program = fileURLToPath(new URL("fixtures/print-root.ts", import.meta.url));

interface Seen {
  /** By two launches, and in an open sandbox. */
  readonly seen: readonly string[];
  readonly mayFurnish: boolean;
}

interface Way {
  readonly way?: "bwrap" | "init";
  readonly words?: readonly string[];
  readonly script: string;
  /** What to start it with, and what that is given as number 3. */
  readonly prefix?: readonly string[];
  readonly descriptor?: number | null;
}

function see({ way = "init", words = [], script, prefix = [], descriptor = null }: Way): Seen {
  const command = [...prefix, execPath, "--import", "tsx", program, way, JSON.stringify(words), script];
  const { stdout, stderr, status } = spawnSync(command[0] ?? "", command.slice(1), {
    encoding: "utf8",
    maxBuffer: 2 ** 27,
    stdio: ["ignore", "pipe", "pipe", descriptor ?? "ignore"],
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Seen;
}

/** Mount points with their flags and types, and all files with mode, owner, type, size and link. */
const everything = [
  "awk '{ print $5, $6, $(NF - 2) }' /proc/self/mountinfo | sort",
  "find / -xdev -printf '%p %m %U %G %y %l\\n' 2>/dev/null | grep -v '^/usr' | sort",
  "find /dev /tmp /run /home -maxdepth 3 -printf '%p %m %U %G %y %l\\n' 2>&1 | sort",
].join("; ");

/**
 * The lines of it, without what may differ: what bwrap takes from the host's /proc comes from the sandbox's own here, and is
 * noexec like that; and some versions of bwrap make the directories above a mount for its user only.
 */
function comparable(text: string): Set<string> {
  const settled = text
    .replaceAll(/^(\/proc\/\S+) ro,nosuid,nodev(?:,noexec)?,relatime proc$/gm, "$1")
    .replaceAll(/ (?:755|700) (\d+ \d+ d) $/gm, " $1");
  return new Set(settled.split("\n"));
}

/** What stands in one of two texts alone, each line with the place that it is of. */
function differences(ours: readonly string[], theirs: readonly string[]): string[] {
  return ours.flatMap((text, index) => {
    const [one, other] = [comparable(text), comparable(theirs[index] ?? "")];
    const onlyOne = [...one].filter((line) => !other.has(line)).map((line) => `${index} init: ${line}`);
    return [...onlyOne, ...[...other].filter((line) => !one.has(line)).map((line) => `${index} bwrap: ${line}`)];
  });
}

describe("a root directory that init makes", function () {
  this.timeout(60_000);

  for (const [what, words] of [
    ["nothing granted", []],
    ["the network", ["network"]],
    ["file systems of the host", ["host-os:ro", "host-etc"]],
  ] as const) {
    it(`is the same as bwrap's, with ${what}`, () => {
      const ours = see({ words, script: everything });
      const theirs = see({ way: "bwrap", words, script: everything });
      assert.deepEqual([ours.mayFurnish, theirs.mayFurnish], [true, false]);
      assert.ok((ours.seen[0] ?? "").split("\n").length > 40);
      assert.deepEqual(differences(ours.seen, theirs.seen), []);
    });
  }

  it("is the same as bwrap's with granted files and directories, one in another, and some in private directories", () => {
    using directory = temporaryDirectory();
    const [outer, inner, file] = [join(directory.path, "outer"), join(directory.path, "outer/a/inner"), join(directory.path, "file")];
    mkdirSync(inner, { recursive: true });
    writeFileSync(file, "text");
    writeFileSync(join(inner, "x"), "");
    const words = [`${outer}:ro`, `${inner}:rw`, `${file}:ro`, "/etc/hostname:ro"];
    const script = `${everything}; echo >${inner}/y && echo written; echo >${outer}/y; cat ${file}`;
    const ours = see({ words, script });
    assert.match(ours.seen[0] ?? "", /\nwritten\n.*Read-only file system\ntext$/s);
    const theirs = see({ way: "bwrap", words, script });
    // by the second run there is what the first one has written
    assert.deepEqual(differences(ours.seen.slice(1), theirs.seen.slice(1)), []);
  });

  it("is bwrap's work again where the kernel, or what is around the program, does not let init do it", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "filter");
    // mount_setattr(2), which older kernels do not have
    const MOUNT_SETATTR = 442;
    const ENOSYS = 38;
    writeFileSync(path, failing(MOUNT_SETATTR, ENOSYS));
    const filter = openSync(path, "r");
    try {
      const prefix = ["bwrap", "--dev-bind", "/", "/", "--cap-add", "ALL", "--seccomp", "3", "--"];
      const { seen, mayFurnish } = see({ prefix, descriptor: filter, script: "echo well" });
      assert.deepEqual(seen, ["well\n", "well\n", "well\n"]);
      assert.equal(mayFurnish, false);
    } finally {
      closeSync(filter);
    }
  });
});

describe("many granted paths", () => {
  /** What a child says that was granted these directories, with a file `name` in each. */
  async function names(paths: readonly string[]): Promise<string[]> {
    const permissions = new SandboxPermissions();
    for (const path of paths) permissions.addFilesystem(`${path}:ro`);
    const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
    await using child = await launcher.spawnvAsync(["cat", ...paths.map((path) => join(path, "name"))]);
    return ((await child.communicateUtf8Async(null))[0] ?? "").trim().split("\n");
  }

  function make(directory: string, path: string): string {
    const whole = join(directory, path);
    mkdirSync(whole, { recursive: true });
    writeFileSync(join(whole, "name"), `${path}\n`);
    return whole;
  }

  for (const [where, pathOf] of [
    ["in one directory", (index: number) => `all/${index}`],
    ["in as many directories", (index: number) => `${index}/own`],
    ["in a few directories, one in another", (index: number) => `x/${index % 3}/y/${index}`],
  ] as const) {
    it(`are each what they were ${where}, and nothing beside them is seen`, async () => {
      using directory = temporaryDirectory();
      const relative = Array.from({ length: 60 }, (_, index) => pathOf(index));
      const paths = relative.map((path) => make(directory.path, path));
      make(directory.path, "all/beside");
      assert.deepEqual(await names(paths), relative);
      const permissions = new SandboxPermissions();
      for (const path of paths) permissions.addFilesystem(`${path}:ro`);
      const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDERR_SILENCE, permissions });
      await using child = await launcher.spawnvAsync(["sh", "-c", `ls -d ${directory.path}/all/beside; find / -name beside; touch ${paths[0] ?? ""}/new`]);
      assert.equal((await child.communicateUtf8Async(null))[0], "");
    });
  }

  it("can be granted by links, which lead where they led when they were granted", async () => {
    using directory = temporaryDirectory();
    const relative = Array.from({ length: 40 }, (_, index) => `real/${index}`);
    const links = relative.map((path, index) => {
      const link = join(directory.path, `link-${index}`);
      symlinkSync(make(directory.path, path), link);
      return link;
    });
    assert.deepEqual(await names(links), relative);
  });

  it("can be granted by descriptors, which are what they are wherever they have been moved to", async () => {
    using directory = temporaryDirectory();
    const permissions = new SandboxPermissions();
    const count = 30;
    for (let index = 0; index < count; index++) {
      const path = make(directory.path, `d/${index}`);
      permissions.addFilesystemFd(openSync(path, "r"), "ro", `/granted/${index}`);
      renameSync(path, join(directory.path, `d/moved-${index}`));
    }
    const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
    await using child = await launcher.spawnvAsync(["sh", "-c", "cat /granted/*/name | sort -t/ -k2 -n"]);
    const expected = Array.from({ length: count }, (_, index) => `d/${index}\n`).join("");
    assert.equal((await child.communicateUtf8Async(null))[0], expected);
  });
});
