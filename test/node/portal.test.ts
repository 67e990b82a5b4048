import assert from "node:assert/strict";
import { closeSync, constants, fstatSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FlatpakConfinement } from "../../src/confinement/confinement.js";
import { parseFlatpakInfo } from "../../src/confinement/flatpak-info.js";
import type { Cancellable } from "../../src/node/cancellable.js";
import type { ProcessRequest } from "../../src/node/launch-process.js";
import { launchProcess } from "../../src/node/launch-process.js";
import { OpenSandbox } from "../../src/node/open-sandbox.js";
import { Portal } from "../../src/node/portal.js";
import { PortalBackend } from "../../src/node/portal-backend.js";
import type { PortalPatience } from "../../src/node/portal-carrier.js";
import type { RunningProcess } from "../../src/node/running-process.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { SpawnFlag } from "../../src/plan/flatpak-portal.js";
import { Stream, SubprocessFlags } from "../../src/subprocess/flags.js";
import { GLibError, IOErrorEnum, SandboxError } from "../../src/subprocess/glib-error.js";
import type { PrivateBus } from "./bus/private-bus.js";
import { startPrivateBus } from "./bus/private-bus.js";
import { openDescriptors, temporaryDirectory, until } from "./gsubprocess/children.js";
import type { MockConfiguration } from "./mock-portal.js";
import { MockPortal } from "./mock-portal.js";

/** Short, so that a test of what never comes does not wait long for it. */
const patience: PortalPatience = { reply: 1000, start: 1500, end: 500 };

function app(context: string): FlatpakConfinement {
  const info = parseFlatpakInfo(`[Application]\nname=org.example.App\n[Instance]\ninstance-id=1\n[Context]\n${context}`);
  assert.ok(info !== null);
  return { kind: "flatpak", info, isTrusted: false };
}

const unset = { fd: null, path: null };

/** A bus with a mock on it, and launches through that. */
class Scene implements AsyncDisposable {
  readonly bus: PrivateBus;
  readonly mock: MockPortal;
  readonly portal: Portal;

  static async set(configuration: Partial<MockConfiguration> = {}): Promise<Scene> {
    const bus = await startPrivateBus();
    const mock = await MockPortal.start(bus, { version: 6, supports: 0, ...configuration });
    return new Scene(bus, mock, await Portal.connect(bus.address));
  }

  private constructor(bus: PrivateBus, mock: MockPortal, portal: Portal) {
    this.bus = bus;
    this.mock = mock;
    this.portal = portal;
  }

  get backend(): PortalBackend {
    return new PortalBackend(this.portal, app("shared=network;\nfilesystems=/tmp;"), patience);
  }

  async launch(
    argv: readonly string[],
    changes: Partial<ProcessRequest> = {},
    cancellable: Cancellable | null = null,
  ): Promise<RunningProcess> {
    const { running } = await launchProcess(
      {
        command: { argv, environment: ["WORD=a word"], directory: "/", searchPath: "/usr/bin:/bin", timeout: null },
        flags: SubprocessFlags.STDIN_PIPE | SubprocessFlags.STDOUT_PIPE,
        settings: { [Stream.STDIN]: unset, [Stream.STDOUT]: unset, [Stream.STDERR]: unset },
        table: [],
        permissions: new SandboxPermissions().snapshot(),
        backend: () => Promise.resolve(this.backend),
        sandbox: null,
        ...changes,
      },
      cancellable,
    );
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.portal.close();
    await this.portal.closed;
    await this.mock[Symbol.asyncDispose]();
    await this.bus[Symbol.asyncDispose]();
  }
}

async function textOf(running: RunningProcess): Promise<string> {
  let text = "";
  running.pipes.stdin?.end();
  for await (const chunk of running.pipes.stdout ?? []) text += String(chunk);
  return text;
}

function refusal(code: keyof typeof SandboxError, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof GLibError, String(error));
    assert.ok(error.matches("gio-sandbox-error-quark", SandboxError[code]), error.message);
    assert.match(error.message, pattern);
    assert.ok(!error.message.includes("\u001b"));
    return true;
  };
}

describe("a launch through the portal", () => {
  for (const [version, supports] of [
    ...([[3, 0], [3, 1], [4, 1], [5, 0], [7, 1], [8, 1]] as const),
  ]) {
    it(`runs a command with version ${version}, with${supports === 0 ? "out" : ""} exposed process ids`, async () => {
      await using scene = await Scene.set({ version, supports });
      assert.deepEqual(scene.portal.facts, { version, supportsExposedPids: supports === 1 });
      const running = await scene.launch(["sh", "-c", 'echo "$WORD"; exit 7']);
      assert.equal(await textOf(running), "a word\n");
      assert.equal((await running.wait(null)).status, 7 << 8);
      await running.dispose();
      const [call] = scene.mock.calls;
      assert.equal(
        call?.["flags"],
        SpawnFlag.SANDBOX | SpawnFlag.NO_NETWORK | SpawnFlag.WATCH_BUS |
          (version >= 4 ? SpawnFlag.NOTIFY_START : 0) | (supports === 1 ? SpawnFlag.EXPOSE_PIDS : 0),
      );
      assert.deepEqual(call["options"], {});
      assert.deepEqual(call["numbers"], [0, 1, 2, 3, 4]);
      assert.equal(call["descriptors"], 5);
      assert.deepEqual(call["environment"], {});
      assert.equal(call["directory"], "/");
      assert.equal(JSON.stringify(scene.mock.calls).includes("a word"), false);
    });
  }

  it("exposes granted files by descriptor, read only and not", async () => {
    await using scene = await Scene.set();
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "file"), "text");
    mkdirSync(join(directory.path, "directory"));
    const permissions = new SandboxPermissions()
      .addFilesystem(`${directory.path}/file:ro`)
      .addFilesystem(`${directory.path}/directory`)
      .snapshot();
    const running = await scene.launch(["cat", join(directory.path, "file")], { permissions });
    assert.equal(await textOf(running), "text");
    await running.dispose();
    assert.deepEqual(scene.mock.calls[0]?.["options"], { "sandbox-expose-fd": [5], "sandbox-expose-fd-ro": [6] });
    assert.equal(scene.mock.calls[0]["descriptors"], 7);
  });

  it("is refused before anything is sent, for what the portal cannot do", async () => {
    await using scene = await Scene.set();
    using directory = temporaryDirectory();
    symlinkSync(directory.path, join(directory.path, "link"));
    const descriptor = openSync(directory.path, constants.O_RDONLY);
    for (const [permissions, pattern] of [
      [new SandboxPermissions().addFilesystem(`${directory.path}/link`), /under its own path/],
      [new SandboxPermissions().addFilesystemFd(descriptor, "ro", "/elsewhere"), /under its own path/],
      [new SandboxPermissions().setLimit("tmpfs", 4096), /tmpfs/],
    ] as const) {
      const launch = scene.launch(["true"], { permissions: permissions.snapshot() });
      await assert.rejects(launch, refusal("NOT_ENFORCEABLE", pattern));
    }
    const many = new SandboxPermissions();
    for (let index = 0; index < 12; index++) {
      mkdirSync(join(directory.path, String(index)));
      many.addFilesystem(join(directory.path, String(index)));
    }
    await assert.rejects(scene.launch(["true"], { permissions: many.snapshot() }), refusal("LIMIT_EXCEEDED", /at most 11 paths/));
    closeSync(descriptor);
    assert.deepEqual(scene.mock.calls, []);
  });

  it("gives the child any number of descriptors, which are no matter of the bus", async () => {
    await using scene = await Scene.set();
    using directory = temporaryDirectory();
    const path = join(directory.path, "file");
    writeFileSync(path, "text");
    const table = Array.from({ length: 300 }, (_, index) => ({ source: openSync(path, "r"), target: 3 + index }));
    const running = await scene.launch(["sh", "-c", "ls /proc/self/fd | wc -l; cat <&9"], { table });
    for (const { source } of table) closeSync(source);
    assert.match(await textOf(running), /^30\d\ntext$/);
    await running.dispose();
  });

  it("tells exact statuses, exec errors and bad directories", async () => {
    await using scene = await Scene.set();
    for (const [script, status] of [["kill -9 $$", 9], ["exit 137", 137 << 8], ["kill -15 $$", 15]] as const) {
      const running = await scene.launch(["sh", "-c", script]);
      assert.equal((await running.wait(null)).status, status);
      await running.dispose();
    }
    await assert.rejects(scene.launch(["no-such-program"]), /Failed to execute child process “no-such-program”/);
    const command = { argv: ["true"], environment: [], directory: "/no/such", searchPath: "/bin", timeout: null };
    await assert.rejects(scene.launch(["true"], { command }), /Failed to change to directory “\/no\/such”/);
  });

  it("forwards signals, and ends all that a child has started", async () => {
    await using scene = await Scene.set();
    const script = "trap 'echo got it' USR1; setsid sleep 1000 & echo up; while :; do wait; done";
    const running = await scene.launch(["sh", "-c", script]);
    const { stdout } = running.pipes;
    assert.ok(stdout);
    let text = "";
    stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await until(() => text.includes("up"));
    running.signal(10);
    await until(() => text.includes("got it"));
    await running.dispose();
    assert.equal(running.end?.status, 9);
  });

  it("keeps a sandbox open for several commands", async () => {
    await using scene = await Scene.set();
    const permissions = new SandboxPermissions().snapshot();
    const sandbox = await OpenSandbox.open(() => Promise.resolve(scene.backend), permissions, "kept", null);
    for (const word of ["one", "two"]) {
      const running = await scene.launch(["echo", word], { sandbox });
      assert.equal(await textOf(running), `${word}\n`);
      await running.dispose();
    }
    sandbox.close();
    await sandbox.ended;
    assert.equal(scene.mock.calls.filter(({ call }) => call === "Spawn").length, 1);
  });

  it("leaves nothing behind when it is cancelled", async () => {
    await using scene = await Scene.set();
    const controller = new AbortController();
    const launch = scene.launch(["sleep", "1000"], {}, controller.signal);
    setImmediate(() => controller.abort());
    await assert.rejects(launch, (error) => error instanceof GLibError && error.matches("g-io-error-quark", IOErrorEnum.CANCELLED));
  });

  it("leaves no descriptor open, whatever came of it", async () => {
    await using scene = await Scene.set();
    await (await scene.launch(["true"])).dispose();
    const before = openDescriptors().length;
    for (let round = 0; round < 5; round++) {
      await (await scene.launch(["true"])).dispose();
      await assert.rejects(scene.launch(["no-such-program"]));
    }
    assert.equal(openDescriptors().length, before);
  });

  it("does not keep the program alive by its connection alone, but by a child that runs", async () => {
    await using scene = await Scene.set();
    const activeSockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "PipeWrap").length;
    await (await scene.launch(["true"])).dispose();
    const idle = activeSockets();
    const running = await scene.launch(["sleep", "1000"], { flags: SubprocessFlags.NONE });
    assert.equal(activeSockets(), idle + 2, "the connection to the bus, and the control socket");
    await running.dispose();
    assert.equal(activeSockets(), idle);
  });

  describe("with a portal that misbehaves", () => {
    const failing: readonly (readonly [misdeed: string, code: keyof typeof SandboxError, pattern: RegExp])[] = [
      ["refuse", "SETUP_FAILED", /refused it: No .*file descriptor for handle 7 \(org\.freedesktop\.DBus\.Error\.InvalidArgs\)/],
      ["refuse-pids", "NOT_AVAILABLE", /setuid bwrap/],
      ["fail", "SETUP_FAILED", /could not be set up: bwrap: No space .*left/],
      ["exit-before-reply", "SETUP_FAILED", /could not be set up: error: too early/],
      ["never-reply", "SETUP_FAILED", /nothing was heard of it within 1000 ms/],
      ["never-start", "SETUP_FAILED", /nothing was heard of it within 1500 ms/],
      ["zero", "SETUP_FAILED", /the portal called it 0/],
      ["vanish", "SETUP_FAILED", /refused it|the portal has ended/],
    ];
    for (const [misdeed, code, pattern] of failing) {
      it(`fails in a typed error when it does “${misdeed}”, and leaves no descriptor`, async () => {
        await using scene = await Scene.set({ misdeed });
        const before = openDescriptors().length;
        await assert.rejects(scene.launch(["true"]), refusal(code, pattern));
        // fewer, if the mock has ended with its pipes to us
        await until(() => openDescriptors().length <= before);
      });

      it(`fails to keep a sandbox open when it does “${misdeed}”`, async () => {
        await using scene = await Scene.set({ misdeed });
        const permissions = new SandboxPermissions().snapshot();
        const open = OpenSandbox.open(() => Promise.resolve(scene.backend), permissions, "kept", null);
        await assert.rejects(open, refusal(code, pattern));
      });
    }

    for (const misdeed of ["wrong-pid", "never-exit", "exit-twice"]) {
      it(`tells how the command ended all the same when it does “${misdeed}”`, async () => {
        await using scene = await Scene.set({ misdeed });
        const running = await scene.launch(["sh", "-c", "echo out; exit 3"]);
        assert.equal(await textOf(running), "out\n");
        assert.equal((await running.wait(null)).status, 3 << 8);
      });
    }

    it("gives up what it calls by a name that it has given before", async () => {
      await using scene = await Scene.set({ misdeed: "same-handle" });
      const first = await scene.launch(["cat"]);
      await assert.rejects(scene.launch(["true"]), refusal("SETUP_FAILED", /the portal called it 7/));
      assert.equal(await textOf(first), "");
      assert.equal((await first.wait(null)).status, 0);
    });

    it("goes on with what runs when it vanishes, and ends that", async () => {
      await using scene = await Scene.set({ misdeed: "vanish-later" });
      const running = await scene.launch(["sh", "-c", "read word; echo $word; exec sleep 1000"]);
      await scene.mock.vanish();
      running.pipes.stdin?.write("here\n");
      const { stdout } = running.pipes;
      assert.ok(stdout);
      assert.equal(String((await stdout[Symbol.asyncIterator]().next()).value), "here\n");
      await running.dispose();
      assert.equal(running.end?.status, 9);
      await assert.rejects(scene.launch(["true"]), refusal("NOT_AVAILABLE", /not on the session bus.*Install the package flatpak/));
    });

    it("goes on with what runs when the bus goes, and ends that", async () => {
      await using scene = await Scene.set();
      const running = await scene.launch(["sh", "-c", "read word; echo $word; exec sleep 1000"]);
      await scene.bus.kill();
      await scene.portal.closed;
      running.pipes.stdin?.write("here\n");
      const { stdout } = running.pipes;
      assert.ok(stdout);
      assert.equal(String((await stdout[Symbol.asyncIterator]().next()).value), "here\n");
      await running.dispose();
      assert.equal(running.end?.status, 9);
      await assert.rejects(scene.launch(["true"]), (error) => error instanceof GLibError);
    });
  });

  it("is not available without the portal on the bus, nor without a bus", async () => {
    const bus = await startPrivateBus();
    await assert.rejects(Portal.connect(bus.address), refusal("NOT_AVAILABLE", /not on the session bus/));
    await bus[Symbol.asyncDispose]();
    await assert.rejects(Portal.connect(bus.address), refusal("NOT_AVAILABLE", /Flatpak's portal: Could not connect to the bus/));
  });
});

describe("a path that has changed since it was granted", () => {
  it("is not given to the portal", async () => {
    await using scene = await Scene.set();
    using directory = temporaryDirectory();
    const path = join(directory.path, "file");
    writeFileSync(path, "");
    const { dev, ino } = fstatSync(openAndKeep(path), { bigint: true });
    const mount = { path, writable: false, device: dev, inode: ino + 1n };
    const placed = { ...mount, source: path, descriptor: 0 };
    const granted = { mounts: [placed], descriptors: [openAndKeep(path)], byName: [placed], hidden: [] };
    const permissions = new SandboxPermissions().snapshot();
    const command = { argv: ["true"], environment: [], directory: "/", searchPath: "/bin", timeout: null, descriptors: [] };
    const launch = await scene.backend.prepare(permissions, granted, command, []);
    assert.throws(() => launch.start(), refusal("SETUP_FAILED", /another file has taken its place/));
    for (const descriptor of kept.splice(0)) closeSync(descriptor);
  });
});

const kept: number[] = [];

function openAndKeep(path: string): number {
  const descriptor = openSync(path, "r");
  kept.push(descriptor);
  return descriptor;
}
