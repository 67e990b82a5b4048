/** Input, output and end at once. */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { bytes, callback, F, group, inEachForm, inForms, outcome, outcomeNow, soon, until } from "./trial.js";

const megabyte = "0123456789abcdef".repeat(1 << 16);
const both = F.STDIN_PIPE | F.STDOUT_PIPE;

function sizes(result) {
  return Array.isArray(result) ? result.map((part) => part?.bytes?.length ?? part) : result;
}

/** The process is only to be looked at after its end. */
async function ended(child) {
  await callback(child, "wait", null);
}

export default [
  ...group("communicating", {
    "moves a megabyte through both pipes": inEachForm(async (trial, form) => {
      const child = await trial.spawn(both, "cat");
      const output = await outcome(() => form(child, "communicate", bytes(megabyte), null));
      return { sizes: sizes(output), same: Array.isArray(output) && output.some((part) => part?.bytes === megabyte) };
    }),

    "takes null for no input": inEachForm(async (trial, form) => {
      const child = await trial.spawn(both, "cat");
      return { text: await outcome(() => form(child, "communicate_utf8", null, null)) };
    }),

    "is a TypeError with input and without a pipe for it": async (trial) => {
      const child = await trial.spawn(F.STDOUT_PIPE, "true");
      const later = (method, input) => soon(outcome(() => callback(child, method, input, null)));
      const result = {
        bytes: outcomeNow(() => child.communicate(bytes("x"), null)),
        text: outcomeNow(() => child.communicate_utf8("x", null)),
        "bytes, callback": await later("communicate", bytes("x")),
        "text, callback": await later("communicate_utf8", "x"),
        "text, promise": await soon(outcome(() => child.communicate_utf8_async("x", null))),
      };
      await ended(child);
      return result;
    },

    "fails when the child closes its input early, as a broken pipe": inEachForm(async (trial, form) => {
      const child = await trial.shell(both, "echo out; exec <&-; sleep 0.2");
      const output = await outcome(() => form(child, "communicate", bytes(megabyte), null));
      await ended(child);
      return { output, status: child.get_status() };
    }),

    "is possible once": inEachForm(async (trial, form) => {
      const child = await trial.spawn(F.STDOUT_PIPE, "echo", "x");
      const first = await outcome(() => form(child, "communicate_utf8", null, null));
      return { first, second: await outcome(() => form(child, "communicate_utf8", null, null)) };
    }),

    "is not possible twice at the same time": inForms(["callback", "promise"], async (trial, form) => {
      const child = await trial.shell(both, "sleep 0.1; cat");
      const first = outcome(() => form(child, "communicate_utf8", "x", null));
      const second = await outcome(() => form(child, "communicate_utf8", "y", null));
      return { second, first: await first };
    }),

    "gives text up to the first NUL, and bytes whole": inEachForm(async (trial, form) => {
      const script = "printf 'ab\\000c\\377'";
      const [text, whole] = [await trial.shell(F.STDOUT_PIPE, script), await trial.shell(F.STDOUT_PIPE, script)];
      return {
        text: await outcome(() => form(text, "communicate_utf8", null, null)),
        bytes: await outcome(() => form(whole, "communicate", null, null)),
      };
    }),

    "says at which byte text stops being UTF-8, of standard output first": inEachForm(async (trial, form) => {
      const pipes = F.STDOUT_PIPE | F.STDERR_PIPE;
      const [stdout, stderr] = [
        await trial.shell(pipes, "printf 'abc\\377'; printf '\\377' >&2"),
        await trial.shell(pipes, "printf abc; printf 'de\\303' >&2"),
      ];
      return {
        stdout: await outcome(() => form(stdout, "communicate_utf8", null, null)),
        stderr: await outcome(() => form(stderr, "communicate_utf8", null, null)),
      };
    }),

    "waits for a grandchild that holds the pipe": inEachForm(async (trial, form) => {
      const child = await trial.shell(F.STDOUT_PIPE, "(sleep 0.4; echo late) & echo early");
      const start = GLib.get_monotonic_time();
      const output = await outcome(() => form(child, "communicate_utf8", null, null));
      return { output, late: GLib.get_monotonic_time() - start > 300_000 };
    }),

    "that is cancelled closes the pipes and leaves the child": inForms(["callback", "promise"], async (trial, form) => {
      const child = await trial.shell(both, "cat; exec sleep 1000");
      const cancellable = new Gio.Cancellable();
      const output = outcome(() => form(child, "communicate_utf8", "x", cancellable));
      cancellable.cancel();
      const result = { output: await output, alive: child.get_identifier() !== null };
      await until(() => child.get_stdin_pipe().is_closed() && child.get_stdout_pipe().is_closed());
      return result;
    }),

    "stops at the launcher's maximum": async (trial) => {
      const launcher = trial.launcher(F.STDOUT_PIPE);
      launcher.maximum_output = 100_000;
      const child = await trial.launch(launcher, ["cat", "/dev/zero"]);
      const output = await outcome(() => callback(child, "communicate", null, null));
      await ended(child);
      return { error: output.error, code: output.code, signal: child.get_term_sig() };
    },
  }),

  ...group("in GJS", {
    "communicate takes null for no input, too": inEachForm(async (trial, form) => {
      const child = await trial.spawn(both, "cat");
      return { bytes: await outcome(() => form(child, "communicate", null, null)) };
    }),

    "communicate takes an array of bytes, and no text": async (trial) => {
      const [first, second] = [await trial.spawn(both, "cat"), await trial.spawn(both, "cat")];
      return {
        array: outcomeNow(() => first.communicate(new Uint8Array([0, 1, 255]), null)),
        text: outcomeNow(() => second.communicate("text", null)),
        number: outcomeNow(() => second.communicate(5, null)),
        "number for text": outcomeNow(() => second.communicate_utf8({}, null)),
      };
    },

    "text for the child ends at its first NUL": inEachForm(async (trial, form) => {
      const child = await trial.spawn(both, "cat");
      return { output: await outcome(() => form(child, "communicate_utf8", "ab\0c", null)) };
    }),

    "communicate after the pipes were used gives the rest": async (trial) => {
      const child = await trial.shell(both, "echo first; cat");
      const stdout = child.get_stdout_pipe();
      const line = await outcome(() => stdout.read_bytes(6, null));
      child.get_stdin_pipe().write_bytes(bytes("in "), null);
      return { line, rest: await outcome(() => callback(child, "communicate_utf8", "put", null)) };
    },
  }),
];
