/** What a launcher is told, and what it makes of it. */
import GLib from "gi://GLib?version=2.0";
import { callback, cancelled, F, group, inEachForm, isOpen, openPath, outcome, outcomeNow } from "./trial.js";

/** What comes of a setter, as one field, and whether a descriptor that it was given is still open. */
function refusals(trial, settings) {
  return Object.fromEntries(
    Object.entries(settings).map(([name, [flags, set]]) => {
      const descriptor = openPath("/dev/null", "r");
      const launcher = trial.launcher(flags);
      const result = outcomeNow(() => set(launcher, descriptor));
      const open = isOpen(descriptor);
      launcher.close();
      if (isOpen(descriptor)) GLib.close(descriptor);
      return [name, [result, open]];
    }),
  );
}

export const launcherScenarios = group("a launcher", {
  "refuses a second disposition in each of its setters, and does not take the descriptor": async (trial) => {
    const conflicts = {
      property: outcomeNow(() => trial.launcher(F.STDIN_PIPE | F.STDIN_INHERIT)),
      constructor: outcomeNow(() => trial.Launcher.new(F.STDOUT_PIPE | F.STDOUT_SILENCE)),
    };
    return {
      ...conflicts,
      ...refusals(trial, {
        set_flags: [0, (launcher) => launcher.set_flags(F.STDERR_PIPE | F.STDERR_MERGE)],
        set_stdin_file_path: [F.STDIN_PIPE, (launcher) => launcher.set_stdin_file_path("/x")],
        set_stdout_file_path: [F.STDOUT_PIPE, (launcher) => launcher.set_stdout_file_path("/x")],
        set_stderr_file_path: [F.STDERR_MERGE, (launcher) => launcher.set_stderr_file_path("/x")],
        take_stdin_fd: [F.STDIN_PIPE, (launcher, descriptor) => launcher.take_stdin_fd(descriptor)],
        take_stdout_fd: [F.STDOUT_SILENCE, (launcher, descriptor) => launcher.take_stdout_fd(descriptor)],
        take_stderr_fd: [F.STDERR_PIPE, (launcher, descriptor) => launcher.take_stderr_fd(descriptor)],
      }),
    };
  },

  "closes a descriptor when another one takes its place, and not one that it took twice": async (trial) => {
    const launcher = trial.launcher();
    const [first, second] = [openPath("/dev/null", "r"), openPath("/dev/null", "r")];
    launcher.take_stdin_fd(first);
    launcher.take_stdin_fd(second);
    const replaced = [isOpen(first), isOpen(second)];
    launcher.take_stdin_fd(-1);
    const undone = isOpen(second);
    const third = openPath("/dev/null", "r");
    launcher.take_stdin_fd(third);
    launcher.take_stdin_fd(third);
    const twice = isOpen(third);
    launcher.close();
    return { replaced, undone, twice, closed: isOpen(third) };
  },

  "can be used again, with what was set since": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    const outputs = [];
    for (const value of ["one", "two"]) {
      launcher.setenv("X", value, true);
      const child = await trial.launch(launcher, ["sh", "-c", "echo $X"]);
      outputs.push(await outcome(() => child.communicate_utf8(null, null)));
    }
    launcher.set_flags(F.STDERR_PIPE);
    const child = await trial.launch(launcher, ["sh", "-c", "echo $X >&2"]);
    return { outputs, flags: await outcome(() => child.communicate_utf8(null, null)) };
  },

  "may be closed, and its descriptors with it, as soon as a launch was asked for": async (trial) => {
    const launcher = trial.launcher();
    launcher.take_fd(trial.open("out", "w"), 45);
    const launch = trial.launch(launcher, ["sh", "-c", "echo x >/proc/self/fd/45"]);
    launcher.close();
    const child = await launch;
    return { check: await outcome(() => child.wait_check(null)), file: trial.read("out") };
  },

  "gives one descriptor to several children": async (trial) => {
    const launcher = trial.launcher();
    const descriptor = trial.open("out", "w");
    launcher.take_fd(descriptor, 3);
    const checks = [];
    for (const word of ["one", "two", "three"]) {
      const child = await trial.launch(launcher, ["sh", "-c", `echo ${word} >&3`]);
      checks.push(await outcome(() => child.wait_check(null)));
    }
    const before = isOpen(descriptor);
    launcher.close();
    return { checks, before, after: isOpen(descriptor), file: trial.read("out") };
  },

  "swaps descriptors, and of equal targets the last counts": async (trial) => {
    for (const name of ["a", "b", "c"]) trial.write(name, name);
    const launcher = trial.launcher(F.STDOUT_PIPE);
    const [a, b, c] = ["a", "b", "c"].map((name) => trial.open(name, "r"));
    launcher.take_fd(a, b);
    launcher.take_fd(b, a);
    launcher.take_fd(a, 50);
    launcher.take_fd(c, 50);
    const child = await trial.launch(launcher, ["bash", "-c", `cat <&${a}; cat <&${b}; cat <&50`]);
    const output = await outcome(() => child.communicate_utf8(null, null));
    launcher.close();
    return { output };
  },

  "looks a program up in the sandbox, not in the launcher's PATH": async (trial) => {
    trial.write("program", "#!/bin/sh\n", 0o755);
    const launcher = trial.launcherWithFiles();
    launcher.setenv("PATH", trial.directory, true);
    return { result: await outcome(() => trial.launch(launcher, ["program"])) };
  },

  "looks it up in /bin and /usr/bin if the flag asks for a PATH that is not there": async (trial) => {
    const launcher = trial.launcher(F.SEARCH_PATH_FROM_ENVP);
    launcher.unsetenv("PATH");
    const child = await trial.launch(launcher, ["true"]);
    return { check: await outcome(() => child.wait_check(null)) };
  },

  "fails as GIO does for what cannot be executed": async (trial) => {
    trial.write("file", "");
    // the path is another one each time
    const spawn = async (program) => {
      const result = await outcome(() => trial.launch(trial.launcherWithFiles(), [program]));
      return { ...result, message: result.message?.replace(trial.directory, "DIRECTORY") };
    };
    const launcher = trial.launcher();
    launcher.set_cwd("/does/not/exist");
    return {
      directory: await spawn("/"),
      "not executable": await spawn(trial.path("file")),
      "no directory": await spawn(`${trial.path("file")}/x`),
      missing: await spawn("no-such-program"),
      "too long": await spawn(`/${"x".repeat(300)}`),
      cwd: await outcome(() => trial.launch(launcher, ["true"])),
    };
  },

  "fails as the kernel does for more arguments than a program can have": async (trial) => ({
    one: await outcome(() => trial.spawn(0, "true", "x".repeat(200_000))),
    many: await outcome(() => trial.spawn(0, "true", ...Array(60).fill("x".repeat(100_000)))),
  }),

  "runs a text file without an interpreter with /bin/sh": async (trial) => {
    const script = trial.write("script", 'echo "${0##*/} $1"', 0o755);
    const child = await trial.launch(trial.launcherWithFiles(F.STDOUT_PIPE), [script, "x"]);
    return { output: await outcome(() => child.communicate_utf8(null, null)) };
  },

  "kills a child that does not end within its timeout, and all that it started": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    launcher.timeout = 300;
    const child = await trial.launch(launcher, ["sh", "-c", "trap '' TERM; (setsid sleep 100) & sleep 100"]);
    const [output, check] = [
      await outcome(() => callback(child, "communicate_utf8", null, null)),
      await outcome(() => child.wait_check(null)),
    ];
    const errors = [output, check].map(({ error, code }) => [error, code]);
    return { errors, wait: outcomeNow(() => child.wait(null)), signal: child.get_term_sig() };
  },

  "freezes its permissions at the first launch": async (trial) => {
    const launcher = trial.launcher();
    (await trial.launch(launcher, ["true"])).wait(null);
    const share = outcomeNow(() => launcher.permissions.share("network"));
    launcher.permissions = launcher.permissions.copy().share("network");
    const child = await trial.launch(launcher, ["true"]);
    return { share, check: await outcome(() => child.wait_check(null)) };
  },
});

export const subprocessScenarios = group("a subprocess without a launcher", {
  "is started at once, or by its initialisation": inEachForm(async (trial, form) => {
    const child = trial.started(trial.Subprocess.new(["echo", "x"], F.STDOUT_PIPE));
    const output = await outcome(() => form(child, "communicate_utf8", null, null));
    const later = trial.started(new trial.Subprocess({ argv: ["sh", "-c", "exit 4"], flags: F.STDERR_SILENCE }));
    const before = outcomeNow(() => later.get_identifier());
    const init = outcomeNow(() => later.init(null));
    return { output, before, init, wait: await outcome(() => form(later, "wait", null)), status: later.get_exit_status() };
  }),

  "that is cancelled before it starts is not started": async (trial) => {
    const child = new trial.Subprocess({ argv: ["sleep", "1000"] });
    return { init: outcomeNow(() => child.init(cancelled())) };
  },
});
