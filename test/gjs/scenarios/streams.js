/** Where the standard streams of a child go. */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { bytes, callback, F, group, inEachForm, isOpen, outcome, outcomeNow, typeName } from "./trial.js";

const pipes = F.STDIN_PIPE | F.STDOUT_PIPE | F.STDERR_PIPE;

function getters(child) {
  return [child.get_stdin_pipe, child.get_stdout_pipe, child.get_stderr_pipe].map((getter) => getter.bind(child));
}

export default [
  ...group("the standard streams of a child", {
    "are real pipes, which it can open again by name": async (trial) => {
      const child = await trial.shell(pipes, "cat /dev/stdin >/dev/stdout; echo e >/dev/stderr");
      return { output: await outcome(() => child.communicate_utf8("in", null)) };
    },

    "are the same objects each time": async (trial) => {
      const child = await trial.spawn(pipes, "cat");
      return {
        same: getters(child).map((get) => get() === get()),
        types: getters(child).map((get) => typeName(get())),
        pollable: getters(child).map((get) => get().can_poll()),
        closing: getters(child).map((get) => get().close_fd),
        closed: getters(child).map((get) => get().is_closed()),
        none: getters(await trial.spawn(0, "true")).map((get) => outcomeNow(get)),
      };
    },

    "are /dev/null where nothing else was said": async (trial) => {
      const child = await trial.shell(F.STDOUT_PIPE | F.STDERR_SILENCE, "readlink /proc/self/fd/0 /proc/self/fd/2");
      return { output: await outcome(() => child.communicate_utf8(null, null)) };
    },

    "can be merged into a file, which is emptied first": async (trial) => {
      const launcher = trial.launcher(F.STDERR_MERGE);
      launcher.set_stdout_file_path(trial.write("out", "0123456789"));
      const child = await trial.launch(launcher, ["sh", "-c", "echo ab; echo cd >&2"]);
      return { check: await outcome(() => child.wait_check(null)), file: trial.read("out") };
    },

    "can come from a file of the host that the child itself could not open": async (trial) => {
      const launcher = trial.launcher(F.STDOUT_PIPE);
      const path = trial.write("in", "secret");
      launcher.set_stdin_file_path(path);
      const child = await trial.launch(launcher, ["sh", "-c", `cat; cat ${path} 2>/dev/null || echo " no"`]);
      return { output: await outcome(() => child.communicate_utf8(null, null)) };
    },

    "that cannot be opened fail in GIO's words": async (trial) => {
      const launcher = trial.launcher();
      launcher.set_stdin_file_path("/does/not/exist");
      const missing = await outcome(() => trial.launch(launcher, ["true"]));
      const unset = outcomeNow(() => launcher.set_stdin_file_path(null));
      const other = trial.launcher();
      other.set_stdout_file_path("/");
      const directory = await outcome(() => trial.launch(other, ["true"]));
      const unsetOther = outcomeNow(() => other.set_stdout_file_path(null));
      return { missing, unset, directory, unsetOther };
    },

    "of the parent's end with an error for writing do not end the program": async (trial) => {
      const child = await trial.shell(F.STDIN_PIPE, "exec <&-");
      child.wait(null);
      const stdin = child.get_stdin_pipe();
      return {
        write: outcomeNow(() => stdin.write_bytes(bytes("x".repeat(100_000)), null)),
        close: outcomeNow(() => stdin.close(null)),
        closed: stdin.is_closed(),
      };
    },

    "give way to a descriptor of the table": async (trial) => {
      const launcher = trial.launcher(F.STDOUT_PIPE);
      launcher.take_fd(trial.open("out", "w"), 1);
      const child = await trial.launch(launcher, ["echo", "x"]);
      const output = await outcome(() => child.communicate_utf8(null, null));
      launcher.close();
      return { output, file: trial.read("out") };
    },
  }),

  ...group("in GJS", {
    "standard output and error are the parent's where nothing else was said": async (trial) => {
      const [own, error] = [1, 2].map((number) => GLib.file_read_link(`/proc/self/fd/${number}`));
      const first = await trial.shell(F.STDERR_PIPE, "exec 3>&1; readlink /proc/self/fd/3 >&2");
      const second = await trial.shell(F.STDOUT_PIPE, "readlink /proc/self/fd/2");
      const [, , ofOutput] = first.communicate_utf8(null, null);
      const [, ofError] = second.communicate_utf8(null, null);
      return { output: ofOutput.trim() === own, error: ofError.trim() === error };
    },

    "a file for standard error is for that alone": async (trial) => {
      const launcher = trial.launcher(F.STDOUT_PIPE);
      launcher.set_stderr_file_path(trial.path("err"));
      const child = await trial.launch(launcher, ["sh", "-c", "echo out; echo err >&2"]);
      return { output: await outcome(() => child.communicate_utf8(null, null)), file: trial.read("err") };
    },

    "output comes line by line while the child runs": async (trial) => {
      const child = await trial.shell(F.STDIN_PIPE | F.STDOUT_PIPE, "while read line; do echo \"got $line\"; done; printf end");
      const stdin = child.get_stdin_pipe();
      const lines = new Gio.DataInputStream({ base_stream: child.get_stdout_pipe(), close_base_stream: true });
      const read = () =>
        new Promise((resolve) => {
          lines.read_line_async(GLib.PRIORITY_DEFAULT, null, (_source, result) =>
            resolve(outcomeNow(() => lines.read_line_finish_utf8(result))),
          );
        });
      const seen = [];
      for (const word of ["one", "two"]) {
        await callback(stdin, "write_bytes", bytes(`${word}\n`), GLib.PRIORITY_DEFAULT, null);
        seen.push(await read());
      }
      const close = await outcome(() => callback(stdin, "close", GLib.PRIORITY_DEFAULT, null));
      seen.push(await read(), await read());
      return { seen, close, check: await outcome(() => callback(child, "wait_check", null)) };
    },

    "a stream that is closed closes its descriptor": async (trial) => {
      const child = await trial.spawn(pipes, "sleep", "1000");
      const descriptors = getters(child).map((get) => get().get_fd());
      const before = descriptors.map(isOpen);
      const closing = getters(child).map((get) => outcomeNow(() => get().close(null)));
      return { before, closing, after: descriptors.map(isOpen), closed: getters(child).map((get) => get().is_closed()) };
    },

    "a child that reads to the end of its input ends with the pipe": inEachForm(async (trial, form) => {
      const child = await trial.spawn(F.STDIN_PIPE, "cat");
      child.get_stdin_pipe().close(null);
      return { check: await outcome(() => form(child, "wait_check", null)) };
    }),

    "the pipes of the parent are not the child's": async (trial) => {
      const script = "ls /proc/self/fd | while read number; do [ $number -gt 2 ] && echo $number; done | wc -l";
      const child = await trial.shell(pipes, script);
      // one is that of ls itself
      return { others: await outcome(() => child.communicate_utf8(null, null)) };
    },
  }),
];
