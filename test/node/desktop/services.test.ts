/** Real services of the desktop that a child reaches through their sockets. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../../src/node/index.js";
import { startPrivateBus } from "../bus/private-bus.js";
import { temporaryDirectory, until } from "../gsubprocess/children.js";
import { withVariables } from "./environment.js";

async function output(permissions: SandboxPermissions, script: string): Promise<string> {
  const flags = SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDERR_MERGE;
  await using child = await new SandboxSubprocessLauncher({ flags, permissions }).spawnvAsync(["sh", "-c", script]);
  return (await child.communicateUtf8Async(null))[0] ?? "";
}

/** Starts a service that stays in the foreground, and ends it after the test. */
function service(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): AsyncDisposable & { readonly process: ChildProcess } {
  const child = spawn(command, args, { stdio: "ignore", env });
  const ended = once(child, "exit");
  return {
    process: child,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

describe("a service of the desktop", function () {
  this.timeout(60_000);

  it("PulseAudio plays for a child with socket=pulseaudio, and is not there without", async () => {
    using directory = temporaryDirectory();
    const runtime = directory.path;
    mkdirSync(join(runtime, "pulse"));
    const socket = join(runtime, "pulse/native");
    const env = { ...process.env, HOME: runtime, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: undefined, PULSE_SERVER: undefined };
    const modules = ["module-null-sink", `module-native-protocol-unix socket=${socket}`].flatMap((module) => ["-L", module]);
    await using _server = service("pulseaudio", ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", ...modules], env);
    await until(() => existsSync(socket));
    using _environment = withVariables({ HOME: runtime, XDG_RUNTIME_DIR: runtime, PULSE_SERVER: undefined, XDG_CONFIG_HOME: undefined });
    assert.match(await output(new SandboxPermissions().addSocket("pulseaudio"), "pactl info"), /Default Sink: null/);
    assert.match(await output(new SandboxPermissions(), "pactl info"), /Connection failure/);
  });

  it("an SSH agent answers a child with socket=ssh-auth, and is not there without", async () => {
    using directory = temporaryDirectory();
    const socket = join(directory.path, "agent");
    await using _agent = service("ssh-agent", ["-D", "-a", socket]);
    await until(() => existsSync(socket));
    using _environment = withVariables({ SSH_AUTH_SOCK: socket });
    assert.equal(await output(new SandboxPermissions().addSocket("ssh-auth"), "ssh-add -l"), "The agent has no identities.\n");
    assert.match(await output(new SandboxPermissions(), "ssh-add -l"), /Could not open a connection/);
  });

  it("a GnuPG agent answers a child with socket=gpg-agent", async () => {
    using directory = temporaryDirectory();
    const home = join(directory.path, "gnupg");
    mkdirSync(home);
    chmodSync(home, 0o700);
    // such as have no directory below /run/user have their sockets in the agent's own
    await using _agent = service("gpg-agent", ["--homedir", home, "--daemon", "--no-detach", "sleep", "1000"]);
    const socket = join(home, "S.gpg-agent");
    await until(() => existsSync(socket));
    using _environment = withVariables({ GNUPGHOME: home });
    const script = 'gpg-connect-agent --no-autostart -S "$XDG_RUNTIME_DIR/gnupg/S.gpg-agent" "GETINFO version" /bye';
    assert.match(await output(new SandboxPermissions().addSocket("gpg-agent"), script), /^D \d+\.\d+.*\nOK\n$/);
  });

  it("the accessibility bus takes a child's questions with a11y, and not what would let it look at other programs", async () => {
    await using bus = await startPrivateBus();
    using directory = temporaryDirectory();
    const variables = { DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: directory.path, AT_SPI_BUS_ADDRESS: undefined, DISPLAY: undefined };
    using _environment = withVariables(variables);
    await using _launcher = service("/usr/libexec/at-spi-bus-launcher", ["--a11y=1", "--screen-reader=0"]);
    execFileSync("gdbus", ["wait", "--session", "--timeout", "20", "org.a11y.Bus"]);
    const call = (method: string, ...args: string[]): string =>
      [
        'gdbus call --address "$AT_SPI_BUS_ADDRESS" --timeout 10 --dest org.a11y.atspi.Registry',
        `--object-path /org/a11y/atspi/registry --method org.a11y.atspi.Registry.${method}`,
        ...args,
      ].join(" ");
    const permissions = (): SandboxPermissions => new SandboxPermissions().allowA11y();
    assert.match(await output(permissions(), call("GetRegisteredEvents")), /^\(/);
    assert.match(await output(permissions(), call("RegisterEvent", "keyboard:")), /AccessDenied/);
    assert.equal(await output(new SandboxPermissions(), 'echo "${AT_SPI_BUS_ADDRESS-none}"'), "none\n");
  });
});
