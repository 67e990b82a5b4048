import { ErrorDomain, IOErrorEnum } from "../../src/subprocess/glib-error.js";
import type { AllowedDifference } from "./differential.js";
import { ABSENT } from "./differential.js";
import type { Result } from "./scenario-runs.js";

const typeError = { error: "TypeError" };

/** The same for several fields. */
function each(fields: readonly string[], value: unknown): Result {
  return Object.fromEntries(fields.map((field) => [field, value]));
}

/** A field in several forms of calling. */
function inForms(forms: readonly string[], fields: Result): Result {
  return Object.fromEntries(
    forms.flatMap((form) => Object.entries(fields).map(([field, value]) => [`${form}: ${field}`, value])),
  );
}

const everyForm = ["blocking", "callback", "promise"];
const asynchronousForms = ["callback", "promise"];

const getters = [
  "get_status",
  "get_successful",
  "get_if_exited",
  "get_exit_status",
  "get_if_signaled",
  "get_term_sig",
];

function failed(domain: string, code: number, message: string, class_: string): Result {
  return { error: domain, code, message, class: class_ };
}

const cancelled = failed(ErrorDomain.IO, IOErrorEnum.CANCELLED, "Operation was cancelled", "Gio_IOErrorEnum");

/** The message for text that is not UTF-8. */
function invalid(stream: string, offset: number): Result {
  const message = `Invalid UTF-8 in child ${stream} at offset ${offset}`;
  return failed(ErrorDomain.IO, IOErrorEnum.FAILED, message, "Gio_IOErrorEnum");
}

const exits = [0, 1, 2, 125, 126, 127, 128, 129, 137, 143, 255];
const signals = [1, 2, 3, 6, 9, 10, 11, 12, 13, 14, 15, 31, 64];

/** What our classes give, where it is not what GIO's give. */
export const allowedDifferences: readonly AllowedDifference[] = [
  {
    reason: "A programmer's error is a TypeError. GIO logs it, and goes on with something neutral.",
    ours: {
      "the status of a child is exact for every exit status": each(
        exits.map((code) => `exit ${code} get_term_sig`),
        typeError,
      ),
      "the status of a child is exact for every signal that ends a process": each(
        signals.map((signal) => `signal ${signal} get_exit_status`),
        typeError,
      ),
      "the status of a child cannot be asked for before the end": each(getters, typeError),
      "the status of a child is there without any call to wait": { get_term_sig: typeError },
      "the end of a child's scope sends a signal to nobody after the end": { "callback: get_term_sig": typeError },
      "in GJS a signal reaches the child itself, which may have its own way with it": { get_term_sig: typeError },
      "a subprocess without a launcher is started at once, or by its initialisation": inForms(everyForm, {
        before: typeError,
      }),
      "a launcher refuses a second disposition in each of its setters, and does not take the descriptor": {
        ...each(["property", "constructor"], typeError),
        ...each(["set_flags", "set_stdin_file_path", "set_stdout_file_path", "set_stderr_file_path"], [typeError, true]),
        ...each(["take_stdin_fd", "take_stdout_fd", "take_stderr_fd"], [typeError, true]),
      },
      "in GJS flags for one stream that contradict each other have an order in a subprocess": each(
        ["stdin", "stdout", "stderr"],
        typeError,
      ),
      "in GJS a command is a list of strings that begins with a program": each(["empty", "empty name"], typeError),
      "in GJS a setter that is told nonsense says so": each(
        ["setenv, equals", "setenv, empty", "unsetenv, equals", "set_environ, no equals"],
        typeError,
      ),
    },
  },
  {
    reason: "Input without a pipe for it is a programmer's error, too. GIO never calls back.",
    ours: {
      "communicating is a TypeError with input and without a pipe for it": each(
        ["bytes", "text", "bytes, callback", "text, callback", "text, promise"],
        typeError,
      ),
    },
  },
  {
    reason: "What is of another type than it should be is a TypeError. For GJS it is an Error, or nothing is.",
    ours: {
      "in GJS a command is a list of strings that begins with a program": each(
        ["null", "string", "number", "null, new"],
        typeError,
      ),
      "in GJS a setter that is told nonsense says so": each(
        [
          ...["setenv, null", "unsetenv, null", "set_environ, string", "set_cwd, number", "take_fd, nothing"],
          "take_stdin_fd, fraction",
        ],
        typeError,
      ),
      "in GJS what is no set of properties does not make an object": { number: typeError },
      "in GJS communicate takes an array of bytes, and no text": each(["text", "number", "number for text"], typeError),
    },
  },
  {
    reason: "Nothing of the parent's environment gets into a sandbox that was not let in.",
    ours: {
      "/gsubprocess launcher-environment: without it, the parent's variables stay outside": { variable: null, has: false },
    },
  },
  {
    reason: "Null is the parent's environment, and what undoes a setting, as in C. GJS does not take it.",
    ours: {
      "/gsubprocess env/inherit: null is the parent's environment": { inherit: "undefined" },
      "in GJS null undoes a setting, as it does in C": { unset: "undefined" },
    },
  },
  {
    reason: "So it is for standard input's file, which older introspection data do not say.",
    before: [2, 80],
    ours: {
      "the standard streams of a child that cannot be opened fail in GIO's words": { unset: "undefined" },
      "in GJS null undoes a setting, as it does in C": { stdin: "undefined" },
    },
  },
  {
    reason: "GJS lets properties of JavaScript classes be read, and says that those for the construction cannot be assigned.",
    ours: {
      "in GJS the properties flags and argv are for the construction, and are not read": {
        read: [4, 4, ["true"]],
        assignment: typeError,
      },
    },
  },
  {
    reason: "A sandbox has a working directory of its own.",
    ours: { "in GJS a child starts in / unless it is told otherwise": { isRoot: true } },
  },
  {
    reason: "A child cannot open what it was not given.",
    ours: {
      "the standard streams of a child can come from a file of the host that the child itself could not open": {
        output: [true, "secret no\n", null],
      },
    },
  },
  {
    reason: "A file for output is emptied first, as GIO's documentation says. GIO does not do it.",
    ours: {
      "the standard streams of a child can be merged into a file, which is emptied first": { file: "ab\ncd\n" },
    },
  },
  {
    reason: "A descriptor that a launcher takes twice stays open. GIO closes it, and keeps its number.",
    ours: {
      "a launcher closes a descriptor when another one takes its place, and not one that it took twice": { twice: true },
    },
  },
  {
    reason: "A closed launcher refuses a descriptor. GIO neither takes it nor says so, and it is lost.",
    ours: {
      "in GJS a closed launcher takes no more descriptors": {
        take: failed(
          ErrorDomain.IO,
          IOErrorEnum.CLOSED,
          "A launcher that was closed takes no more descriptors.",
          "Gio_IOErrorEnum",
        ),
      },
    },
  },
  {
    reason: "No input is an empty one. GIO takes an assertion to have failed, and ends the program.",
    ours: {
      "in GJS communicate takes null for no input, too": {
        died: ABSENT,
        ...inForms(["blocking", "callback"], { bytes: [true, { bytes: "" }, null] }),
        "promise: bytes": [{ bytes: "" }, null],
      },
    },
  },
  {
    reason: "The offset of what is not UTF-8 is the true one. GIO subtracts from an address.",
    ours: {
      "/gsubprocess communicate/utf8/invalid: output that is no UTF-8 is an error": { "blocking: output": invalid("stdout", 1) },
      "/gsubprocess communicate/utf8/async/invalid: output that is no UTF-8 is an error": inForms(asynchronousForms, {
        output: invalid("stdout", 1),
      }),
      "communicating says at which byte text stops being UTF-8, of standard output first": inForms(everyForm, {
        stdout: invalid("stdout", 3),
        stderr: invalid("stderr", 2),
      }),
    },
  },
  {
    reason: "Who waited first is told first. GIO tells them the other way round.",
    ours: {
      "waiting ends for each who waits, although another cancels": { order: ["second", "first", "third"] },
      "waiting tells those who wait in the order in which they came": { order: [0, 1, 2, 3] },
    },
  },
  {
    reason: "What was cancelled already fails at once. GIO notices when the child has ended.",
    ours: {
      "waiting is cancelled by a signal that was aborted already, also after the end": inForms(asynchronousForms, {
        running: cancelled,
        "running, check": cancelled,
      }),
    },
  },
];
