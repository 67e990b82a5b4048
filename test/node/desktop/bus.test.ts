/** Children on a real message bus, through the real xdg-dbus-proxy. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import dbus from "dbus-next";
import { connectMessageBus } from "../../../src/node/bus/message-bus.js";
import {
  ErrorDomain,
  GLibError,
  SandboxError,
  SandboxPermissions,
  SandboxSubprocessLauncher,
  SubprocessFlags,
} from "../../../src/node/index.js";
import type { PrivateBus } from "../bus/private-bus.js";
import { startPrivateBus } from "../bus/private-bus.js";
import { childProcesses, openDescriptors, temporaryDirectory, until } from "../gsubprocess/children.js";
import { withVariables } from "./environment.js";

class Greeter extends dbus.interface.Interface {
  Greet(name: string): string {
    return `Hello, ${name}`;
  }
}
Greeter.configureMembers({ methods: { Greet: { inSignature: "s", outSignature: "s" } } });

/** Offers the interface under some names. */
async function serve(bus: PrivateBus, names: readonly string[]): Promise<Disposable> {
  const server = await connectMessageBus(bus.address);
  server.export("/greeter", new Greeter("org.example.Greeter"));
  for (const name of names) await server.requestName(name, 0);
  return { [Symbol.dispose]: () => server.disconnect() };
}

const greet = (name: string): string =>
  `gdbus call --session --timeout 5 --dest ${name} --object-path /greeter --method org.example.Greeter.Greet you 2>&1`;

async function output(permissions: SandboxPermissions, script: string): Promise<string> {
  const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
  await using child = await launcher.spawnvAsync(["sh", "-c", script]);
  return (await child.communicateUtf8Async(null))[0] ?? "";
}

const isEmpty = (directory: string): boolean => readdirSync(directory).filter((name) => name !== ".flatpak").length === 0;

describe("a child on the session bus", function () {
  this.timeout(60_000);

  it("reaches the name that it may talk to, and no other", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _services = await serve(bus, ["org.example.Allowed", "org.example.Forbidden"]);
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const permissions = (): SandboxPermissions => new SandboxPermissions().addTalkName("org.example.Allowed");
    assert.equal(await output(permissions(), greet("org.example.Allowed")), "('Hello, you',)\n");
    assert.match(await output(permissions(), greet("org.example.Forbidden")), /ServiceUnknown|AccessDenied/);
    const names = await output(
      permissions(),
      "gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.ListNames",
    );
    assert.match(names, /org\.example\.Allowed/);
    assert.doesNotMatch(names, /org\.example\.Forbidden/);
  });

  it("sees a name that it may see, and cannot call it", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _services = await serve(bus, ["org.example.Seen"]);
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const permissions = (): SandboxPermissions => new SandboxPermissions().addSeeName("org.example.Seen");
    const owner = "gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.NameHasOwner org.example.Seen";
    assert.equal(await output(permissions(), owner), "(true,)\n");
    assert.match(await output(permissions(), greet("org.example.Seen")), /AccessDenied/);
  });

  it("owns a name that it may own, and no other", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const request = (name: string): string =>
      `gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.RequestName ${name} 4 2>&1`;
    const permissions = (): SandboxPermissions => new SandboxPermissions().addOwnName("org.example.Mine");
    assert.equal(await output(permissions(), request("org.example.Mine")), "(uint32 1,)\n");
    assert.match(await output(permissions(), request("org.example.Yours")), /AccessDenied|ServiceUnknown/);
  });

  it("has no bus at all unless it is granted something there", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const script = `echo "\${DBUS_SESSION_BUS_ADDRESS-none}"; ls "$XDG_RUNTIME_DIR"; DBUS_SESSION_BUS_ADDRESS='${bus.address}' ${greet("org.example.Any")}; :`;
    const text = await output(new SandboxPermissions(), script);
    assert.match(text, /^none\n/);
    assert.match(text, /[Cc]ould not connect|Error connecting/);
  });

  it("is to portals a Flatpak instance, and not the host", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _services = await serve(bus, ["org.freedesktop.portal.Example", "org.example.Other"]);
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const permissions = (): SandboxPermissions => new SandboxPermissions().allowPortals();
    assert.match(await output(permissions(), "cat /.flatpak-info; : >/.flatpak-info"), /\[Application\]\nname=/);
    assert.equal(await output(permissions(), greet("org.freedesktop.portal.Example")), "('Hello, you',)\n");
    assert.match(await output(permissions(), greet("org.example.Other")), /ServiceUnknown|AccessDenied/);
  });

  it("shares one proxy with all processes of an open sandbox", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _services = await serve(bus, ["org.example.Allowed"]);
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const permissions = new SandboxPermissions().addTalkName("org.example.Allowed");
    {
      await using sandbox = await new SandboxSubprocessLauncher({ permissions }).openSandboxAsync();
      const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, sandbox });
      const before = childProcesses().length;
      for (let i = 0; i < 3; i++) {
        const child = await launcher.spawnvAsync(["sh", "-c", greet("org.example.Allowed")]);
        assert.equal((await child.communicateUtf8Async(null))[0], "('Hello, you',)\n");
      }
      assert.equal(childProcesses().length, before);
    }
    await until(() => isEmpty(runtime.path));
  });
});

describe("the proxy of a bus", function () {
  this.timeout(60_000);

  it("leaves no process, no descriptor and no file when its sandbox ends", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path });
    const permissions = (): SandboxPermissions => new SandboxPermissions().addTalkName("org.example.A").allowPortals();
    await output(permissions(), "true");
    await until(() => childProcesses().length === 1);
    const descriptors = openDescriptors().length;
    for (let i = 0; i < 3; i++) await output(permissions(), "true");
    // the bus itself is a child of ours
    await until(() => childProcesses().length === 1 && openDescriptors().length <= descriptors);
    await until(() => isEmpty(runtime.path));
    assert.deepEqual(existsSync(join(runtime.path, ".flatpak")) ? readdirSync(join(runtime.path, ".flatpak")) : [], []);
  });

  it("ends with the program that launched the sandbox, also when that is killed", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    const fixture = fileURLToPath(new URL("../fixtures/linger-on-bus.ts", import.meta.url));
    const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path };
    const program = spawn(process.execPath, ["--import", "tsx", fixture], { env, stdio: ["ignore", "pipe", "inherit"] });
    await once(program.stdout, "data");
    program.kill("SIGKILL");
    await once(program, "exit");
    const mentions = (): string[] =>
      readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(runtime.path));
    await until(() => mentions().length === 0 && isEmpty(runtime.path));
  });

  it("that cannot reach the bus is an error that says so, and no hang", async () => {
    using runtime = temporaryDirectory();
    const address = `unix:path=${join(runtime.path, "nowhere")}`;
    using _environment = withVariables({ DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: runtime.path });
    await assert.rejects(
      () => output(new SandboxPermissions().addTalkName("org.example.A"), "true"),
      (error) => error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.NOT_AVAILABLE),
    );
    assert.ok(isEmpty(runtime.path));
    assert.deepEqual(childProcesses(), []);
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
