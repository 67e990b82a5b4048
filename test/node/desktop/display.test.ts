/** Real programs with windows, on a real X server. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import {
  ErrorDomain,
  GLibError,
  SandboxError,
  SandboxPermissions,
  SandboxSubprocessLauncher,
  SubprocessFlags,
} from "../../../src/node/index.js";
import { temporaryDirectory, until } from "../gsubprocess/children.js";
import { withVariables } from "./environment.js";
import { startXServer } from "./x-server.js";

const F = SubprocessFlags;

function launcher(permissions: SandboxPermissions): SandboxSubprocessLauncher {
  return new SandboxSubprocessLauncher({ flags: F.STDOUT_PIPE | F.STDERR_PIPE, permissions });
}

async function output(permissions: SandboxPermissions, script: string): Promise<string> {
  const [text] = await (await launcher(permissions).spawnvAsync(["sh", "-c", script])).communicateUtf8Async(null);
  return text ?? "";
}

function isNotAvailable(word: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.NOT_AVAILABLE) && word.test(error.message);
}

describe("a program with a window", function () {
  this.timeout(60_000);

  it("shows it with socket=x11 alone, and cannot without", async () => {
    await using server = await startXServer();
    using _environment = withVariables({ DISPLAY: server.display, XAUTHORITY: server.authority, WAYLAND_DISPLAY: undefined });
    const argv = ["zenity", "--info", "--title=In a sandbox", "--text=Hello", "--no-wrap"];
    {
      await using _child = await launcher(new SandboxPermissions().addSocket("x11")).spawnvAsync(argv);
      await until(() => server.titles().includes("In a sandbox"));
    }
    await until(() => !server.titles().includes("In a sandbox"));
    const denied = launcher(new SandboxPermissions());
    denied.setenv("DISPLAY", server.display, true);
    const child = await denied.spawnvAsync(argv);
    const [, error] = await child.communicateUtf8Async(null);
    assert.equal(child.getSuccessful(), false);
    assert.match(error ?? "", /display/i);
  });

  it("has the cookie of its display, and no other of the user's", async () => {
    await using server = await startXServer();
    using _environment = withVariables({ DISPLAY: server.display, XAUTHORITY: server.authority });
    const list = await output(new SandboxPermissions().addSocket("x11"), 'xauth -f "$XAUTHORITY" list 2>/dev/null');
    assert.equal(list.trim().split("\n").length, 1);
    assert.ok(!list.includes(":77"));
    assert.equal(await output(new SandboxPermissions().addSocket("x11"), "ls /tmp/.X11-unix"), `X${server.display.slice(1)}\n`);
  });

  it("falls back to X11 only where there is no Wayland", async () => {
    await using server = await startXServer();
    using directory = temporaryDirectory();
    using _environment = withVariables({
      DISPLAY: server.display,
      XAUTHORITY: server.authority,
      XDG_RUNTIME_DIR: directory.path,
      WAYLAND_DISPLAY: "wayland-9",
    });
    const permissions = new SandboxPermissions().addSocket("wayland").addSocket("fallback-x11");
    const script = 'echo "${WAYLAND_DISPLAY-none} ${DISPLAY-none}"; ls -d /tmp/.X11-unix 2>/dev/null; [ ! -S "$XDG_RUNTIME_DIR/wayland-0" ] || echo socket';
    assert.equal(await output(permissions.copy(), script), `none ${server.display}\n/tmp/.X11-unix\n`);
    const compositor = createServer().listen(join(directory.path, "wayland-9"));
    try {
      await new Promise((resolve) => compositor.once("listening", resolve));
      assert.equal(await output(permissions.copy(), script), "wayland-0 none\nsocket\n");
    } finally {
      compositor.close();
    }
  });

  it("that is promised a display which is not there is not started", async () => {
    using directory = temporaryDirectory();
    using _environment = withVariables({ DISPLAY: undefined, WAYLAND_DISPLAY: undefined, XDG_RUNTIME_DIR: directory.path });
    const start = (permissions: SandboxPermissions) => (): Promise<unknown> => launcher(permissions).spawnvAsync(["true"]);
    await assert.rejects(start(new SandboxPermissions().addSocket("x11")), isNotAvailable(/DISPLAY is not set/));
    await assert.rejects(start(new SandboxPermissions().addSocket("wayland")), isNotAvailable(/looked for a socket at/));
    await assert.rejects(start(new SandboxPermissions().addSocket("pulseaudio")), isNotAvailable(/PulseAudio/));
    await start(new SandboxPermissions().addSocket("x11-try").addSocket("wayland-try").addSocket("pulseaudio-try"))();
  });

  it("gets devices by name, and none that it was not granted", async () => {
    const strict = await output(new SandboxPermissions(), "ls /dev/kvm /dev/input /dev/dri 2>/dev/null; :");
    assert.equal(strict, "");
    const script = "[ -w /dev/shm ] && echo writable; [ -e /dev/kvm ] && echo kvm; :";
    const kvm = await output(new SandboxPermissions().addDevice("kvm-try"), script);
    assert.match(kvm, /^writable\n(kvm\n)?$/);
  });
});
