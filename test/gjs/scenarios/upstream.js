/** GLib's own tests of GSubprocess (gio/tests/gsubprocess.c), by their names. */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import System from "system";
import {
  bytes,
  callback,
  cancelled,
  F,
  group,
  inEachForm,
  inForms,
  isOpen,
  outcome,
  outcomeNow,
  readAll,
  sleep,
  splice,
  textInput,
  until,
} from "./trial.js";

const VARIABLE = "GIO_SANDBOX_TEST_VARIABLE";

/** What `env` prints, with the parent's variable for these tests set meanwhile. */
async function environmentOf(trial, launcher) {
  const child = await trial.launch(launcher, ["env"]);
  const [, output] = child.communicate_utf8(null, null);
  return output.trimEnd().split("\n").sort();
}

async function withVariable(scenario) {
  GLib.setenv(VARIABLE, "parent's", true);
  try {
    return await scenario();
  } finally {
    GLib.unsetenv(VARIABLE);
  }
}

const flagSets = [
  ["", F.STDOUT_PIPE | F.STDERR_MERGE],
  ["/no-pipes", 0],
  ["/separate-stderr", F.STDOUT_PIPE | F.STDERR_PIPE],
  ["/stdout-only", F.STDOUT_PIPE],
  ["/stderr-only", F.STDERR_PIPE],
  ["/stdout-silence", F.STDOUT_SILENCE],
];
const text = "# hello world\n";

/** Nothing is to be written among the results of the scenarios. */
function cat(trial, flags) {
  const isOurs = (flags & (F.STDOUT_PIPE | F.STDOUT_SILENCE)) !== 0;
  return trial.shell(F.STDIN_PIPE | flags, isOurs ? "exec cat" : "exec cat >/dev/null");
}

function communicating([name, flags]) {
  const success = async (trial, form, method, input) => {
    const child = await cat(trial, flags);
    const output = await outcome(() => form(child, method, input, null));
    return { output, successful: child.get_successful(), status: child.get_status(), identifier: child.get_identifier() };
  };
  const cancelledBefore = async (trial, form, method, input) => {
    const child = await cat(trial, flags);
    return { output: await outcome(() => form(child, method, input, cancelled())) };
  };
  const cancelledAfter = async (trial, form, method, input) => {
    const child = await cat(trial, flags);
    const cancellable = new Gio.Cancellable();
    const output = form(child, method, input, cancellable);
    cancellable.cancel();
    return { output: await outcome(() => output), wait: await outcome(() => callback(child, "wait", null)) };
  };
  const bothTypes = async (trial, form) => ({
    ...(await cancelledBefore(trial, form, "communicate", bytes(text))),
    text: (await cancelledBefore(trial, form, "communicate_utf8", text)).output,
  });
  return {
    [`communicate${name}, communicate/async${name}: input goes in, and what is a pipe comes out`]: inEachForm(
      (trial, form) => success(trial, form, "communicate", bytes(text)),
    ),
    [`communicate/utf8${name}, communicate/utf8/async${name}: so does text`]: inEachForm(
      (trial, form) => success(trial, form, "communicate_utf8", text),
    ),
    [`communicate/cancelled${name}, communicate/utf8/cancelled${name}: cancelled before is cancelled`]: inEachForm(bothTypes),
    [`communicate/async/cancelled${name}: cancelled right after the start is cancelled, and no signal`]: inForms(
      ["callback", "promise"],
      (trial, form) => cancelledAfter(trial, form, "communicate", bytes(text)),
    ),
    [`communicate/utf8/async/cancelled${name}: the same with text`]: inForms(["callback", "promise"], (trial, form) =>
      cancelledAfter(trial, form, "communicate_utf8", text),
    ),
  };
}

function invalidOutput(formNames) {
  return inForms(formNames, async (trial, form) => {
    const child = await trial.shell(F.STDOUT_PIPE, "printf 'a\\377\\377'");
    return { output: await outcome(() => form(child, "communicate_utf8", null, null)) };
  });
}

/** Two files that a child writes to, at the same number and at another. */
function passDescriptors(flags) {
  return async (trial) => {
    const launcher = trial.launcher(flags);
    const [one, two] = [trial.open("one", "w"), trial.open("two", "w")];
    launcher.take_fd(one, one);
    launcher.take_fd(two, two + 1);
    const script = `echo hello world >/proc/self/fd/${one}; echo hello world >/proc/self/fd/${two + 1}`;
    const child = await trial.launch(launcher, ["sh", "-c", script]);
    const result = { check: await outcome(() => child.wait_check(null)), one: trial.read("one"), two: trial.read("two") };
    launcher.close();
    return result;
  };
}

export default group("/gsubprocess", {
  "noop: a program that does nothing succeeds": inEachForm(async (trial, form) => {
    const child = await trial.spawn(0, "true");
    return { check: await outcome(() => form(child, "wait_check", null)), successful: child.get_successful() };
  }),

  "noop-all-to-null: so it does with its output silenced": inEachForm(async (trial, form) => {
    const child = await trial.shell(F.STDOUT_SILENCE | F.STDERR_SILENCE, "echo out; echo err >&2");
    return { check: await outcome(() => form(child, "wait_check", null)) };
  }),

  "noop-no-wait: a child that nobody waits for ends by itself": async (trial) => {
    const launcher = trial.launcher();
    launcher.set_stdout_file_path(trial.write("out", ""));
    const identifier = (await trial.launchAlone(launcher, ["sh", "-c", "sleep 0.1; echo done"])).get_identifier();
    System.gc();
    await until(() => trial.read("out") !== "");
    await until(() => !GLib.file_test(`/proc/${identifier}`, GLib.FileTest.EXISTS));
    return { output: trial.read("out") };
  },

  "noop-stdin-inherit: a child can have the parent's standard input": inEachForm(async (trial, form) => {
    const child = await trial.shell(F.STDIN_INHERIT | F.STDOUT_PIPE, "readlink /proc/self/fd/0");
    const [, output] = await callback(child, "communicate_utf8", null, null);
    return {
      check: await outcome(() => form(child, "wait_check", null)),
      same: output.trim() === GLib.file_read_link("/proc/self/fd/0"),
      pipe: outcomeNow(() => child.get_stdin_pipe()),
    };
  }),

  "search-path: a program without a slash is looked up in the sandbox's PATH": inEachForm(async (trial, form) => {
    const child = await trial.spawn(0, "true");
    return { check: await outcome(() => form(child, "wait_check", null)) };
  }),

  "search-path-from-envp: or in the launcher's PATH, if the flag says so": inEachForm(async (trial, form) => {
    trial.write("program", "#!/bin/sh\nexit 1\n", 0o755);
    const launcher = trial.launcherWithFiles(F.SEARCH_PATH_FROM_ENVP);
    launcher.setenv("PATH", trial.directory, true);
    const child = await trial.launch(launcher, ["program"]);
    return { check: await outcome(() => form(child, "wait_check", null)) };
  }),

  "signal: a child that a signal ends is told from one that exits": inForms(["callback", "promise"], async (trial, form) => {
    const child = await trial.spawn(0, "sleep", "1000");
    const waiting = form(child, "wait", null);
    child.send_signal(9);
    return {
      wait: await outcome(() => waiting),
      exited: child.get_if_exited(),
      signaled: child.get_if_signaled(),
      signal: child.get_term_sig(),
      status: child.get_status(),
      successful: child.get_successful(),
      check: await outcome(() => form(child, "wait_check", null)),
      "GLib's check": outcomeNow(() => GLib.spawn_check_wait_status(child.get_status())),
    };
  }),

  "exit1: an exit status above 0 is an error with that code": inEachForm(async (trial, form) => {
    const child = await trial.shell(0, "exit 1");
    const check = await outcome(() => form(child, "wait_check", null));
    return { check, successful: child.get_successful(), status: child.get_status() };
  }),

  "exit1/cancel: cancelled after the exit and before the completion is cancelled": inForms(
    ["callback", "promise"],
    async (trial, form) => {
      const child = await trial.shell(0, "exit 1");
      const cancellable = new Gio.Cancellable();
      const second = form(child, "wait_check", cancellable);
      const first = outcomeNow(() => child.wait_check(null));
      cancellable.cancel();
      return { first, second: await outcome(() => second) };
    },
  ),

  "exit1/cancel_in_cb: cancelled after the completion changes nothing": async (trial) => {
    const child = await trial.shell(0, "exit 1");
    const cancellable = new Gio.Cancellable();
    const calls = [];
    child.wait_check_async(cancellable, (_source, result) => {
      calls.push(outcomeNow(() => child.wait_check_finish(result)));
      cancellable.cancel();
    });
    const first = outcomeNow(() => child.wait_check(null));
    const before = calls.length;
    await until(() => calls.length > 0);
    await sleep(50);
    return { first, before, calls };
  },

  "echo1: the pipe has all that the child prints": async (trial) => {
    const child = await trial.spawn(F.STDOUT_PIPE, "printf", "%s\\n", "hello", "world!");
    return { output: await readAll(child.get_stdout_pipe()), check: await outcome(() => child.wait_check(null)) };
  },

  "echo-merged: standard error goes where standard output goes, in order": async (trial) => {
    const script = "for word in merge this; do echo $word; echo $word >&2; done";
    const child = await trial.shell(F.STDOUT_PIPE | F.STDERR_MERGE, script);
    return {
      pipe: outcomeNow(() => child.get_stderr_pipe()),
      output: await readAll(child.get_stdout_pipe()),
      check: await outcome(() => child.wait_check(null)),
    };
  },

  "cat-utf8: text goes in and comes out": async (trial) => {
    const child = await trial.spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const out = Gio.MemoryOutputStream.new_resizable();
    const moved = await Promise.all([
      splice(child.get_stdin_pipe(), textInput("hello, wörl…\n")),
      splice(out, child.get_stdout_pipe()),
    ]);
    return { moved, output: await outcome(() => out.steal_as_bytes()), check: await outcome(() => child.wait_check(null)) };
  },

  "cat-eof: nothing comes before the input, and the end of the input ends the child": async (trial) => {
    const child = await trial.spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const stdout = child.get_stdout_pipe();
    const cancellable = new Gio.Cancellable();
    setTimeout(() => cancellable.cancel(), 200);
    const nothing = await outcome(() => callback(stdout, "read_bytes", 8, GLib.PRIORITY_DEFAULT, cancellable));
    const close = outcomeNow(() => child.get_stdin_pipe().close(null));
    return {
      nothing,
      close,
      end: outcomeNow(() => stdout.read_bytes(8, null)),
      wait: outcomeNow(() => child.wait(null)),
      exited: child.get_if_exited(),
      status: child.get_exit_status(),
    };
  },

  "multi1: one launcher starts three children, chained by their pipes": async (trial) => {
    const launcher = trial.launcher(F.STDIN_PIPE | F.STDOUT_PIPE);
    const children = await Promise.all([1, 2, 3].map(() => trial.launch(launcher, ["cat"])));
    const [first, second, third] = children;
    const out = Gio.MemoryOutputStream.new_resizable();
    const moved = await Promise.all([
      splice(first.get_stdin_pipe(), textInput("hello hello\n".repeat(2047))),
      splice(second.get_stdin_pipe(), first.get_stdout_pipe()),
      splice(third.get_stdin_pipe(), second.get_stdout_pipe()),
      splice(out, third.get_stdout_pipe()),
    ]);
    const checks = await Promise.all(children.map((child) => outcome(() => callback(child, "wait_check", null))));
    return { moved, checks, size: out.get_data_size() };
  },

  ...Object.assign({}, ...flagSets.map(communicating)),

  "communicate/utf8/invalid: output that is no UTF-8 is an error": invalidOutput(["blocking"]),

  "communicate/utf8/async/invalid: output that is no UTF-8 is an error": invalidOutput(["callback", "promise"]),

  "communicate/nothing: no output is an empty string, not null": inEachForm(async (trial, form) => {
    const child = await trial.spawn(F.STDIN_PIPE | F.STDOUT_PIPE | F.STDERR_PIPE, "cat");
    const output = await outcome(() => form(child, "communicate_utf8", "", null));
    return { output, successful: child.get_successful() };
  }),

  "terminate: a child has an identifier until it is forced to exit": inEachForm(async (trial, form) => {
    const child = await trial.spawn(0, "sleep", "1000");
    const before = /^[1-9][0-9]*$/.test(child.get_identifier());
    child.force_exit();
    await form(child, "wait", null);
    return { before, after: child.get_identifier(), signaled: child.get_if_signaled(), signal: child.get_term_sig() };
  }),

  "fail-initialization: a program that is not there is NOENT": async (trial) => ({
    launcher: await outcome(() => trial.spawn(0, "/does/not/exist")),
    constructor: outcomeNow(() => trial.Subprocess.new(["/does/not/exist"], 0)),
    init: outcomeNow(() => new trial.Subprocess({ argv: ["/does/not/exist"] }).init(null)),
  }),

  "env: a child has the variables that were set": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    const results = [
      launcher.set_environ(["ONE=1", "TWO=1", "THREE=3", "FOUR=1"]),
      launcher.setenv("TWO", "2", true),
      launcher.setenv("THREE", "1", false),
      launcher.unsetenv("FOUR"),
    ].map((result) => outcomeNow(() => result));
    const variables = ["ONE", "TWO", "THREE", "FOUR"].map((name) => launcher.getenv(name));
    const output = await environmentOf(trial, launcher);
    launcher.set_environ([]);
    return { results, variables, output, empty: await environmentOf(trial, launcher) };
  },

  "env/inherit: null is the parent's environment": (trial) =>
    withVariable(async () => {
      const launcher = trial.launcher(F.STDOUT_PIPE);
      const inherit = outcomeNow(() => launcher.set_environ(null));
      launcher.setenv("TWO", "2", true);
      const environment = await environmentOf(trial, launcher);
      return { inherit, has: [`${VARIABLE}=parent's`, "TWO=2"].map((entry) => environment.includes(entry)) };
    }),

  "launcher-environment: without it, the parent's variables stay outside": (trial) =>
    withVariable(async () => {
      const launcher = trial.launcher(F.STDOUT_PIPE);
      const variable = launcher.getenv(VARIABLE);
      launcher.setenv("A", "b", true);
      const environment = await environmentOf(trial, launcher);
      return { variable, has: environment.includes(`${VARIABLE}=parent's`), own: environment.includes("A=b") };
    }),

  "cwd: a child starts in the directory that was set": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    launcher.set_cwd("/tmp");
    const child = await trial.launch(launcher, ["pwd"]);
    return { output: await outcome(() => child.communicate_utf8(null, null)) };
  },

  "launcher-close: closing it closes what it took, and ends its launching": async (trial) => {
    const launcher = trial.launcher();
    const [source, target] = [trial.open("source", "w"), trial.open("target", "w")];
    launcher.take_fd(source, target);
    launcher.close();
    const open = [isOpen(source), isOpen(target)];
    GLib.close(target);
    const unused = trial.launcher();
    unused.close();
    return {
      open,
      spawn: await outcome(() => trial.launch(launcher, ["true"])),
      again: outcomeNow(() => launcher.close()),
      unused: await outcome(() => trial.launch(unused, ["true"])),
    };
  },

  "stdout-file: standard output can be a file of the host, which the parent opens": async (trial) => {
    const launcher = trial.launcher(F.STDIN_PIPE);
    launcher.set_stdout_file_path(trial.path("out"));
    const child = await trial.launch(launcher, ["cat"]);
    const output = await outcome(() => child.communicate_utf8(text, null));
    return { output, file: trial.read("out"), pipe: outcomeNow(() => child.get_stdout_pipe()) };
  },

  "stdout-fd: standard output can be a descriptor": async (trial) => {
    const launcher = trial.launcher(F.STDIN_PIPE);
    launcher.take_stdout_fd(trial.open("out", "w"));
    const child = await trial.launch(launcher, ["cat"]);
    const output = await outcome(() => child.communicate_utf8(text, null));
    launcher.close();
    return { output, file: trial.read("out") };
  },

  "pass-fd/basic: a child gets descriptors, at the same number and at another": passDescriptors(0),

  "pass-fd/inherit-fds: a child gets descriptors, at the same number and at another": passDescriptors(F.INHERIT_FDS),

  "fd-conflation/basic: mappings do not overwrite each other's sources": async (trial) => {
    const launcher = trial.launcher(F.STDOUT_PIPE);
    trial.write("in", "Yay success!");
    trial.write("null", "");
    const [source, other, empty] = [trial.open("in", "r"), trial.open("in", "r"), trial.open("null", "r")];
    launcher.take_fd(empty, source);
    launcher.take_fd(source, 49);
    launcher.take_fd(other, 47);
    const child = await trial.launch(launcher, ["bash", "-c", `cat <&49; cat <&47; cat <&${source}`]);
    const output = await outcome(() => child.communicate_utf8(null, null));
    launcher.close();
    return { output };
  },
});
