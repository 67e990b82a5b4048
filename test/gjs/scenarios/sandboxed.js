/** What GIO has nothing like. */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import System from "system";
import { callback, cancelled, F, group, inEachForm, outcome, outcomeNow, until } from "./trial.js";

function openDescriptors() {
  return names("/proc/self/fd").length;
}

function names(path) {
  const directory = Gio.File.new_for_path(path).enumerate_children("standard::name", Gio.FileQueryInfoFlags.NONE, null);
  const all = [];
  for (let info = directory.next_file(null); info !== null; info = directory.next_file(null)) all.push(info.get_name());
  directory.close(null);
  return all;
}

function contents(path) {
  return new TextDecoder().decode(GLib.file_get_contents(path)[1]);
}

/** The processes that this one has started and that are there still, zombies too. Our module has one for system calls, to its end. */
function childProcesses() {
  return names("/proc/self/task")
    .flatMap((task) => contents(`/proc/self/task/${task}/children`).split(" "))
    .filter((pid) => pid !== "" && !commandOf(pid).startsWith("gio-sandbox-cal"));
}

/** Empty for a process that is gone. */
function commandOf(pid) {
  try {
    return contents(`/proc/${pid}/comm`);
  } catch {
    return "";
  }
}

/** What the command of an open sandbox prints. */
function printed(launcher, ...argv) {
  return outcomeNow(() => launcher.spawnv(argv).communicate_utf8(null, null));
}

function sandboxedLauncher(trial, sandbox) {
  const launcher = trial.launcher(F.STDOUT_PIPE);
  launcher.sandbox = sandbox;
  return launcher;
}

/** Cancels a launch after some time. */
async function cancelledLaunch(trial, delay) {
  const cancellable = new Gio.Cancellable();
  setTimeout(() => cancellable.cancel(), delay);
  try {
    const child = await callback(trial.launcher(F.STDOUT_PIPE), "spawnv", ["sleep", "1000"], cancellable);
    child.force_exit();
    await callback(child, "wait", null);
    child.get_stdout_pipe().close(null);
    return false;
  } catch (error) {
    if (error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED)) return true;
    throw error;
  }
}

export const cancelledLaunches = group("cancelling a launch", {
  "leaves no process and no descriptor, whenever it comes": async (trial) => {
    trial.launcher().spawnv(["true"]).wait(null);
    // what other scenarios have left to be collected
    System.gc();
    await until(() => childProcesses().length === 0);
    const before = openDescriptors();
    let count = 0;
    for (let delay = 0; delay < 24; delay += 2) if (await cancelledLaunch(trial, delay)) count++;
    await until(() => childProcesses().length === 0 && openDescriptors() <= before);
    return { cancelled: count > 0 };
  },
});

export default group("in GJS, with a sandbox", {
  "a launch can be asynchronous": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    const children = [
      await callback(launcher, "spawnv", ["echo", "callback"], null),
      await launcher.spawnv_async(["echo", "promise"], null),
    ];
    const outputs = children.map((child) => outcomeNow(() => child.communicate_utf8(null, null)));
    return {
      outputs,
      types: children.every((child) => child instanceof trial.Subprocess),
      length: (launcher._original_spawnv_async ?? launcher.spawnv_async).length,
      missing: await outcome(() => callback(launcher, "spawnv", ["/does/not/exist"], null)),
      cancelled: await outcome(() => callback(launcher, "spawnv", ["true"], cancelled())),
      arguments: await outcome(() => launcher.spawnv_async([], null)),
    };
  },

  "an error of our own domain can be matched": async (trial) => {
    const { Backend, SandboxError } = trial.module;
    const launcher = trial.launcher();
    launcher.backend = Backend.LANDLOCK;
    GLib.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/does/not/exist", true);
    try {
      launcher.spawnv(["true"]);
      return { launched: true };
    } catch (error) {
      return {
        isError: error instanceof GLib.Error,
        matches: error.matches(SandboxError, SandboxError.NOT_AVAILABLE),
        other: error.matches(SandboxError, SandboxError.LIMIT_EXCEEDED),
        domain: GLib.quark_to_string(error.domain),
      };
    }
  },

  "permissions decide what a child sees": async (trial) => {
    const { SandboxPermissions } = trial.module;
    trial.write("file", "contents");
    const read = (permissions) => {
      const launcher = new trial.Launcher({ flags: F.STDOUT_PIPE | F.STDERR_SILENCE, permissions });
      return printed(launcher, "cat", trial.path("file"));
    };
    const permissions = new SandboxPermissions().add_filesystem(`${trial.directory}:ro`);
    const launcher = trial.launcher();
    launcher.permissions = permissions;
    return {
      without: read(new SandboxPermissions()),
      with: read(permissions),
      same: launcher.permissions === permissions,
      invalid: outcomeNow(() => new SandboxPermissions().add_filesystem("nonsense")).error,
    };
  },

  "a profile can be loaded by its name": async (trial) => {
    const permissions = trial.module.load_profile("strict");
    const launcher = new trial.Launcher({ flags: F.STDOUT_PIPE, permissions });
    return {
      output: printed(launcher, "echo", "x"),
      missing: outcomeNow(() => trial.module.load_profile("/does/not/exist")).code,
    };
  },

  "a report says what holds, before and after the launch": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    const foreseen = launcher.explain();
    const child = launcher.spawnv(["true"]);
    child.wait(null);
    const { SandboxReport, Backend } = trial.module;
    return {
      types: [foreseen, child.get_report()].map((report) => report instanceof SandboxReport),
      same: child.get_report() === child.get_report(),
      backend: [Backend.BUBBLEWRAP, Backend.FLATPAK_PORTAL].includes(child.get_backend()) && foreseen.backend === child.get_backend(),
      text: foreseen.toString().length > 100,
    };
  },

  "an open sandbox is shared by its children": inEachForm(async (trial, form) => {
    const sandbox = trial.sandbox(await form(trial.launcher(), "open_sandbox", "kept", null));
    const launcher = sandboxedLauncher(trial, sandbox);
    const write = printed(launcher, "sh", "-c", "echo x >/tmp/shared");
    const read = printed(launcher, "cat", "/tmp/shared");
    const same = launcher.sandbox === sandbox;
    const exited = new Promise((resolve) => sandbox.connect("exited", (_sandbox, error) => resolve(error)));
    const open = sandbox.is_closed;
    sandbox.close();
    return { write, read, same, open, closed: sandbox.is_closed, error: await exited };
  }),

  "an open sandbox tells when its memory is used up, and goes on": async (trial) => {
    const permissions = new trial.module.SandboxPermissions().set_limit("memory", 64 << 20);
    const sandbox = trial.sandbox(new trial.Launcher({ permissions }).open_sandbox("kept", null));
    const told = [];
    sandbox.connect("out-of-memory", () => told.push("out of memory"));
    const launcher = sandboxedLauncher(trial, sandbox);
    launcher.permissions = permissions;
    const child = launcher.spawnv(["sh", "-c", "head -c 300M /dev/zero | tail -c 300M >/dev/null"]);
    const { error, code } = await outcome(() => callback(child, "wait_check", null));
    await until(() => told.length > 0);
    return { error, code, told, after: printed(launcher, "echo", "there") };
  },

  "an open sandbox that ends takes its children with it": async (trial) => {
    const sandbox = trial.sandbox(trial.launcher().open_sandbox("kept", null));
    const child = sandboxedLauncher(trial, sandbox).spawnv(["sleep", "1000"]);
    const waiting = outcome(() => callback(child, "wait", null));
    sandbox.close();
    const { error, code } = await waiting;
    return { error, code };
  },

  "a subprocess that is initialised again stays what it is": async (trial) => {
    const child = trial.started(new trial.Subprocess({ argv: ["sleep", "1000"] }));
    const pids = [];
    const init = [1, 2].map(() => {
      const result = child.init(null);
      pids.push(child.get_identifier());
      return result;
    });
    return { init, same: pids[0] === pids[1] };
  },

  "sandboxes can be kept ready": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    launcher.prewarm(2);
    const outputs = ["a", "b", "c"].map((word) => printed(launcher, "echo", word));
    launcher.close();
    await until(() => childProcesses().length === 0);
    return { outputs, nonsense: outcomeNow(() => trial.launcher().prewarm(-1)) };
  },

  "properties of the sandbox are set at the construction or later": async (trial) => {
    const { Backend, SandboxPermissions } = trial.module;
    const permissions = new SandboxPermissions();
    const launcher = new trial.Launcher({ flags: F.STDOUT_PIPE, timeout: 5000, backend: Backend.BUBBLEWRAP, permissions });
    const first = [launcher.timeout, launcher.backend === Backend.BUBBLEWRAP, launcher.permissions === permissions];
    launcher.timeout = null;
    launcher.backend = Backend.AUTO;
    launcher.required_guarantees = ["network"];
    return {
      first,
      second: [launcher.timeout, launcher.backend === Backend.AUTO, launcher.required_guarantees],
      sandbox: launcher.sandbox,
      maximum: launcher.maximum_output,
      nonsense: outcomeNow(() => (launcher.backend = "nonsense")),
      output: printed(launcher, "echo", "x"),
    };
  },
});
