/** The classes themselves: their methods, properties and what they make of bad input. */
import Gio from "gi://Gio?version=2.0";
import GObject from "gi://GObject?version=2.0";
import { F, group, inForms, outcome, outcomeNow, sleep } from "./trial.js";

/** The methods of a class of GIO's, with how many parameters another class has for each. */
function lengths(original, class_) {
  const names = Object.getOwnPropertyNames(original.prototype).filter((name) => name !== "constructor" && !name.startsWith("_"));
  const methods = names.filter((name) => typeof Object.getOwnPropertyDescriptor(original.prototype, name).value === "function");
  const { prototype } = class_;
  // Gio._promisify() keeps what it wraps
  return Object.fromEntries(methods.map((name) => [name, (prototype[`_original_${name}`] ?? prototype[name])?.length ?? "missing"]));
}

function property(class_, name) {
  const { flags, value_type } = GObject.Object.find_property.call(class_, name);
  return [flags & (GObject.ParamFlags.READWRITE | GObject.ParamFlags.CONSTRUCT_ONLY), value_type.name];
}

export default group("in GJS", {
  "the methods take as many parameters as GIO's": async (trial) => ({
    ...lengths(Gio.SubprocessLauncher, trial.Launcher),
    ...lengths(Gio.Subprocess, trial.Subprocess),
    "Launcher.new": trial.Launcher.new.length,
    "Subprocess.new": trial.Subprocess.new.length,
  }),

  "the properties flags and argv are for the construction, and are not read": async (trial) => {
    const launcher = new trial.Launcher({ flags: F.STDOUT_PIPE });
    const process = new trial.Subprocess({ argv: ["true"], flags: F.STDOUT_PIPE });
    const assignment = outcomeNow(() => (launcher.flags = F.STDERR_PIPE));
    const child = await trial.launch(launcher, ["echo", "x"]);
    return {
      properties: [property(trial.Launcher, "flags"), property(trial.Subprocess, "flags"), property(trial.Subprocess, "argv")],
      read: [outcomeNow(() => launcher.flags), outcomeNow(() => process.flags), outcomeNow(() => process.argv)],
      assignment,
      output: await outcome(() => child.communicate_utf8(null, null)),
    };
  },

  "the classes are GObject's, and a subprocess is a Gio.Initable": async (trial) => {
    const process = trial.started(new trial.Subprocess({ argv: ["sh", "-c", "exit 3"] }));
    const init = outcomeNow(() => Gio.Initable.prototype.init.call(process, null));
    return {
      objects: [trial.launcher(), process].map((object) => object instanceof GObject.Object),
      isInitable: GObject.type_is_a(trial.Subprocess.$gtype, Gio.Initable.$gtype),
      init,
      check: await outcome(() => process.wait_check(null)),
      constructor: trial.Launcher.new(0) instanceof trial.Launcher,
      subprocess: trial.started(trial.Subprocess.new(["true"], 0)) instanceof trial.Subprocess,
      launched: (await trial.spawn(0, "true")) instanceof trial.Subprocess,
    };
  },

  "what is no set of properties does not make an object": async (trial) => ({
    number: outcomeNow(() => new trial.Launcher(4)),
    unknown: outcomeNow(() => new trial.Launcher({ nonsense: 1 })),
    none: outcomeNow(() => new trial.Launcher() instanceof trial.Launcher),
  }),

  "flags for one stream that contradict each other have an order in a subprocess": async (trial) => {
    const pipes = (flags) =>
      outcomeNow(() => {
        const child = trial.started(trial.Subprocess.new(["true"], flags));
        return [child.get_stdin_pipe(), child.get_stdout_pipe(), child.get_stderr_pipe()].map((pipe) => pipe !== null);
      });
    return {
      stdin: pipes(F.STDIN_PIPE | F.STDIN_INHERIT),
      stdout: pipes(F.STDOUT_PIPE | F.STDOUT_SILENCE),
      stderr: pipes(F.STDERR_PIPE | F.STDERR_MERGE | F.STDOUT_PIPE),
    };
  },

  "a command is a list of strings that begins with a program": async (trial) => ({
    empty: await outcome(() => trial.spawn(0)),
    "empty name": await outcome(() => trial.spawn(0, "")),
    null: await outcome(() => trial.launch(trial.launcher(), null)),
    string: await outcome(() => trial.launch(trial.launcher(), "true")),
    number: await outcome(() => trial.spawn(0, "true", 1)),
    "string, new": outcomeNow(() => trial.Subprocess.new("true", 0)),
    "null, new": outcomeNow(() => trial.Subprocess.new(null, 0)),
  }),

  "a setter that is told nonsense says so": async (trial) => {
    const launcher = trial.launcher();
    return {
      "setenv, equals": outcomeNow(() => launcher.setenv("A=B", "x", true)),
      "setenv, empty": outcomeNow(() => launcher.setenv("", "x", true)),
      "setenv, null": outcomeNow(() => launcher.setenv("A", null, true)),
      "unsetenv, null": outcomeNow(() => launcher.unsetenv(null)),
      "unsetenv, equals": outcomeNow(() => launcher.unsetenv("A=B")),
      "getenv, unknown": outcomeNow(() => launcher.getenv("GIO_SANDBOX_NOT_SET")),
      "set_environ, no equals": outcomeNow(() => launcher.set_environ(["A"])),
      "set_environ, string": outcomeNow(() => launcher.set_environ("A=B")),
      "set_cwd, number": outcomeNow(() => launcher.set_cwd({})),
      "take_fd, nothing": outcomeNow(() => launcher.take_fd({}, 1)),
      "take_stdin_fd, fraction": outcomeNow(() => trial.launcher().take_stdin_fd(-1.5)),
    };
  },

  "null undoes a setting, as it does in C": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    launcher.set_cwd("/tmp");
    const unset = outcomeNow(() => launcher.set_cwd(null));
    const other = trial.launcher();
    return {
      unset,
      stdin: outcomeNow(() => other.set_stdin_file_path(null)),
      stdout: outcomeNow(() => other.set_stdout_file_path(null)),
      stderr: outcomeNow(() => other.set_stderr_file_path(null)),
    };
  },

  "a child starts in / unless it is told otherwise": async (trial) => {
    const child = await trial.spawn(F.STDOUT_PIPE, "pwd");
    const [, output] = child.communicate_utf8(null, null);
    return { isRoot: output === "/\n" };
  },

  "a closed launcher takes no more descriptors": async (trial) => {
    const launcher = trial.launcher();
    launcher.close();
    return { take: outcomeNow(() => launcher.take_fd(200, 200)), setenv: outcomeNow(() => launcher.setenv("A", "b", true)) };
  },

  "a descriptor that is not open cannot be given to a child": async (trial) => {
    const launcher = trial.launcher();
    launcher.take_fd(999, 5);
    return { spawn: await outcome(() => trial.launch(launcher, ["true"])) };
  },

  "parameters that are left out": inForms(["blocking", "promise"], async (trial, form) => {
    const child = await trial.spawn(F.STDOUT_PIPE, "true");
    await sleep(50);
    return {
      wait: await outcome(() => form(child, "wait")),
      wait_check: await outcome(() => form(child, "wait_check")),
      communicate: await outcome(() => form(child, "communicate_utf8", null)),
    };
  }),

  "setters of which too little is told": async (trial) => {
    const launcher = trial.launcher();
    return {
      setenv: outcomeNow(() => launcher.setenv("A")),
      take_fd: outcomeNow(() => launcher.take_fd(1)),
      spawnv: outcomeNow(() => launcher.spawnv()),
    };
  },
});
