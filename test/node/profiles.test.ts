import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadProfile, SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { profileDirectories } from "../../src/node/profiles.js";
import { ErrorDomain, GLibError, IOErrorEnum, SandboxError } from "../../src/subprocess/glib-error.js";
import { openDescriptors, temporaryDirectory } from "./gsubprocess/children.js";

const ours = fileURLToPath(new URL("../../data/profiles/", import.meta.url));
const names = ["image-loader", "meson-test", "strict", "thumbnailer", "web-content"];

function failure(action: () => unknown): GLibError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof GLibError, String(error));
    return error;
  }
  assert.fail("nothing was thrown");
}

/** Sets where profiles are looked for, until the end of the test. */
function dataDirectories(home: string, system: string): { [Symbol.dispose](): void } {
  const { XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  Object.assign(process.env, { XDG_DATA_HOME: home, XDG_DATA_DIRS: system });
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of Object.entries({ XDG_DATA_HOME, XDG_DATA_DIRS })) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    },
  };
}

function writeProfile(dataDirectory: string, name: string, text: string): string {
  const path = join(dataDirectory, "gio-sandbox/profiles", `${name}.profile`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

describe("our own profiles", () => {
  it("are five, each of which is understood, and says what it is for", () => {
    assert.deepEqual(readdirSync(ours).sort(), names.map((name) => `${name}.profile`));
    for (const name of names) {
      const text = readFileSync(join(ours, `${name}.profile`), "utf8");
      assert.ok(text.startsWith(`# ${name}: `), name);
      assert.ok(loadProfile(name).equals(SandboxPermissions.fromKeyFile(text)));
    }
  });

  it("say of each group's first line why it is there", () => {
    for (const name of names) {
      const lines = readFileSync(join(ours, `${name}.profile`), "utf8").split("\n");
      lines.forEach((line, index) => {
        if (line.startsWith("[")) assert.match(lines[index + 1] ?? "", /^# ./, `${name}: ${line}`);
      });
    }
  });

  it("grant no network, no bus, no file of the user's, and no X11", () => {
    for (const name of names) {
      const set = loadProfile(name).snapshot();
      assert.equal(set.shared.size + set.sessionBus.size + set.systemBus.size, 0, name);
      assert.deepEqual([set.portals, set.a11y], [false, false]);
      for (const { path, mode } of set.filesystems) assert.deepEqual([path, mode], ["host-fonts", "ro"]);
      assert.ok(!["x11", "session-bus", "system-bus"].some((socket) => set.sockets.has(socket as "x11")));
    }
  });

  it("bound memory, processes, time and scratch files where the input is anybody's", () => {
    for (const name of ["thumbnailer", "image-loader"]) {
      const { limits } = loadProfile(name).snapshot();
      for (const limit of ["memory", "processes", "cpu-time", "timeout", "tmpfs", "file-size", "open-files", "core"] as const) {
        assert.ok(limits.has(limit), `${name}: ${limit}`);
      }
    }
  });

  it("have strict for what there is without any", () => {
    assert.ok(loadProfile("strict").equals(new SandboxPermissions()));
  });

  it("are part of the package", () => {
    const listing = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: join(ours, "../.."), encoding: "utf8" });
    const [{ files }] = JSON.parse(listing) as [{ files: { path: string }[] }];
    for (const name of names) assert.ok(files.some(({ path }) => path === `data/profiles/${name}.profile`), name);
  });
});

describe("a profile", () => {
  it("is found by its name in XDG_DATA_HOME, then in XDG_DATA_DIRS, then among ours", () => {
    using directory = temporaryDirectory();
    const [home, first, second] = ["home", "first", "second"].map((name) => join(directory.path, name)) as [string, string, string];
    using _ = dataDirectories(home, `${first}:relative::${second}`);
    assert.deepEqual(profileDirectories().slice(0, 3), [home, first, second].map((path) => join(path, "gio-sandbox/profiles")));
    assert.equal(profileDirectories().length, 4);
    for (const [index, place] of [second, first, home].entries()) {
      writeProfile(place, "mine", `[Limits]\nopen-files=${index + 1}\n`);
      writeProfile(place, "strict", `[Limits]\nopen-files=${index + 1}\n`);
      assert.equal(loadProfile("mine").snapshot().limits.get("open-files"), index + 1);
      assert.equal(loadProfile("strict").snapshot().limits.get("open-files"), index + 1);
    }
  });

  it("is looked for where the specification says if the variables are empty or relative", () => {
    using _ = dataDirectories("relative", "");
    const directories = profileDirectories();
    assert.match(directories[0] ?? "", /^\/.*\/\.local\/share\/gio-sandbox\/profiles$/);
    assert.deepEqual(directories.slice(1, 3), ["/usr/local/share/gio-sandbox/profiles", "/usr/share/gio-sandbox/profiles"]);
  });

  it("is a file if there is a slash in its name", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "x.profile");
    writeFileSync(path, "[Context]\nshared=network;\n");
    assert.ok(loadProfile(path).snapshot().shared.has("network"));
    symlinkSync("x.profile", join(directory.path, "link"));
    assert.ok(loadProfile(join(directory.path, "link")).snapshot().shared.has("network"));
  });

  it("is applied to permissions that it leaves alone", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "x");
    writeFileSync(path, "[Context]\nshared=!network;\nsockets=cups;\n");
    const base = new SandboxPermissions().share("network").share("ipc").freeze();
    const set = loadProfile(path, base).snapshot();
    assert.deepEqual([...set.shared, ...set.sockets], ["ipc", "cups"]);
    assert.equal(base.snapshot().shared.size, 2);
  });

  it("has a name that leads nowhere else", () => {
    for (const name of ["", ".", "..", "a..b", ".hidden", "x y", "x\0", "-x", "x.", "ä", "x\n", "a".repeat(65)]) {
      const error = failure(() => loadProfile(name));
      assert.ok(error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION), name);
      assert.match(error.message, /^Expected the name of a profile, or a path with a slash in it/);
    }
  });

  it("that is nowhere is an error that says where it was looked for", () => {
    const error = failure(() => loadProfile("no-such-profile"));
    assert.ok(error.matches(ErrorDomain.IO, IOErrorEnum.NOT_FOUND));
    for (const directory of profileDirectories()) assert.ok(error.message.includes(directory));
    assert.ok(failure(() => loadProfile("/no/such/file")).matches(ErrorDomain.IO, IOErrorEnum.NOT_FOUND));
  });

  it("that cannot be read is not replaced by another of its name", () => {
    using directory = temporaryDirectory();
    using _ = dataDirectories(directory.path, "");
    mkdirSync(join(directory.path, "gio-sandbox/profiles/strict.profile"), { recursive: true });
    assert.ok(failure(() => loadProfile("strict")).matches(ErrorDomain.IO, IOErrorEnum.NOT_REGULAR_FILE));
  });

  it("is a regular file, and no pipe that one would wait for", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "pipe");
    execFileSync("mkfifo", [path]);
    for (const other of [path, "/dev/zero", directory.path]) {
      assert.ok(failure(() => loadProfile(other)).matches(ErrorDomain.IO, IOErrorEnum.NOT_REGULAR_FILE));
    }
  });

  it("is bounded, and UTF-8", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "x");
    for (const [content, pattern] of [
      [Buffer.alloc(1 << 20, "#"), /x: a profile has at most 786432 bytes$/],
      [Buffer.alloc(300_000, "#"), /x: The key file has 300000 characters, and at most 262144 are read$/],
      [Buffer.from([0xff]), /x: the file is not UTF-8$/],
    ] as const) {
      writeFileSync(path, content);
      const error = failure(() => loadProfile(path));
      assert.ok(error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION));
      assert.match(error.message, pattern);
    }
  });

  it("that is wrong is an error that names file, line and key", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "x\u001b.profile");
    writeFileSync(path, "[Context]\n\nsockets=x12;\n");
    assert.ok(failure(() => loadProfile(path)).message.startsWith(`${directory.path}/x\\u{1b}.profile: Line 3, sockets in [Context]: Expected`));
  });

  it("leaves no descriptor open, whatever becomes of it", () => {
    const before = openDescriptors().length;
    for (let round = 0; round < 20; round++) {
      loadProfile("strict");
      for (const other of ["/dev/null", "/", "/no/such/file"]) failure(() => loadProfile(other));
    }
    assert.equal(openDescriptors().length, before);
  });

  it("sets variables of the children, but none that the launcher was told of", async () => {
    const permissions = new SandboxPermissions().setEnv("A", "profile").setEnv("B", "profile").setEnv("C", "profile").unsetEnv("PATH");
    const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
    assert.equal(launcher.getenv("A"), "profile");
    launcher.setenv("A", "kept out", false);
    launcher.setenv("B", "launcher", true);
    launcher.unsetenv("C");
    assert.deepEqual(["A", "B", "C", "PATH"].map((name) => launcher.getenv(name)), ["profile", "launcher", null, null]);
    const [variables] = await (await launcher.spawnvAsync(["/usr/bin/env"])).communicateUtf8Async(null);
    assert.match(variables ?? "", /^A=profile$/m);
    assert.match(variables ?? "", /^B=launcher$/m);
    assert.doesNotMatch(variables ?? "", /^(C|PATH)=/m);
    launcher.setEnviron(["ONLY=1"]);
    assert.equal(launcher.getenv("A"), null);
    const [only] = await (await launcher.spawnvAsync(["/usr/bin/env"])).communicateUtf8Async(null);
    assert.equal(only, "ONLY=1\n");
  });
});

describe("the profile meson-test", () => {
  it("runs the tests of a Meson project, each in a sandbox", function () {
    if (spawnSync("meson", ["--version"]).error !== undefined && process.env["CI"] !== "true") this.skip();
    using directory = temporaryDirectory();
    const { path } = directory;
    writeFileSync(
      join(path, "meson.build"),
      `project('x')
sh = find_program('sh')
test('writes to its directory', sh, args: ['-c', 'touch out'], workdir: meson.current_build_dir())
test('has no network', sh, args: ['-c', 'test "$(ls /sys/class/net 2>/dev/null | grep -v lo)" = "" && ! grep -q : /proc/net/route'])
test('has the profile variables', sh, args: ['-c', 'test "$GSETTINGS_BACKEND" = memory'])
test('fails', sh, args: ['-c', 'exit 3'], should_fail: true)
`,
    );
    const command = fileURLToPath(new URL("../../bin/gio-sandbox", import.meta.url));
    const build = join(path, "build");
    execFileSync("meson", ["setup", build, path]);
    const wrapper = `${command} run --profile=meson-test --filesystem=${path} --cwd=${build} --`;
    const { status, stdout } = spawnSync("meson", ["test", "-C", build, `--wrapper=${wrapper}`], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /Ok: +3/);
    assert.match(stdout, /Expected Fail: +1/);
  });
});
