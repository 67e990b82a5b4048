import { ErrorDomain, IOErrorEnum, SandboxError, SpawnError } from "../../src/subprocess/glib-error.js";
import type { Result } from "./scenario-runs.js";

const typeError = { error: "TypeError" };
const cancelled = {
  error: ErrorDomain.IO,
  code: IOErrorEnum.CANCELLED,
  message: "Operation was cancelled",
  class: "Gio_IOErrorEnum",
};

function output(text: string): unknown {
  return [true, text, null];
}

const sharedSandbox: Result = {
  write: output(""),
  read: output("x\n"),
  same: true,
  open: false,
  closed: true,
  error: null,
};

/** The scenarios that GIO has nothing like, and what must come of them. */
export const alone: Readonly<Record<string, Result>> = {
  "the status of a child comes with what the child used": { before: typeError, user: true, wall: true, memory: true },
  "cancelling a launch leaves no process and no descriptor, whenever it comes": { cancelled: true },
  "communicating stops at the launcher's maximum": {
    error: ErrorDomain.SANDBOX,
    code: SandboxError.LIMIT_EXCEEDED,
    signal: 13,
  },
  "a launcher kills a child that does not end within its timeout, and all that it started": {
    errors: Array(2).fill([ErrorDomain.SANDBOX, SandboxError.TIMED_OUT]),
    wait: true,
    signal: 9,
  },
  "a launcher freezes its permissions at the first launch": { share: typeError, check: true },
  "in GJS, with a sandbox a launch can be asynchronous": {
    outputs: [output("callback\n"), output("promise\n")],
    types: true,
    length: 3,
    missing: {
      error: ErrorDomain.SPAWN,
      code: SpawnError.NOENT,
      message: "Failed to execute child process “/does/not/exist” (No such file or directory)",
      class: "GLib_SpawnError",
    },
    cancelled,
    arguments: typeError,
  },
  "in GJS, with a sandbox an error of our own domain can be matched": {
    isError: true,
    matches: true,
    other: false,
    domain: ErrorDomain.SANDBOX,
  },
  "in GJS, with a sandbox permissions decide what a child sees": {
    without: output(""),
    with: output("contents"),
    same: true,
    invalid: ErrorDomain.SANDBOX,
  },
  "in GJS, with a sandbox a profile can be loaded by its name": { output: output("x\n"), missing: IOErrorEnum.NOT_FOUND },
  "in GJS, with a sandbox a report says what holds, before and after the launch": {
    types: [true, true],
    same: true,
    backend: true,
    text: true,
  },
  "in GJS, with a sandbox an open sandbox is shared by its children": Object.fromEntries(
    ["blocking", "callback", "promise"].flatMap((form) =>
      Object.entries(sharedSandbox).map(([field, value]) => [`${form}: ${field}`, value]),
    ),
  ),
  "in GJS, with a sandbox an open sandbox tells when its memory is used up, and goes on": {
    error: ErrorDomain.SANDBOX,
    code: SandboxError.LIMIT_EXCEEDED,
    told: ["out of memory"],
    after: output("there\n"),
  },
  "in GJS, with a sandbox an open sandbox that ends takes its children with it": {
    error: ErrorDomain.IO,
    code: IOErrorEnum.CLOSED,
  },
  "in GJS, with a sandbox sandboxes can be kept ready": {
    outputs: ["a\n", "b\n", "c\n"].map(output),
    nonsense: typeError,
  },
  // GIO starts a second process, and takes an assertion to have failed when the first one ends
  "in GJS, with a sandbox a subprocess that is initialised again stays what it is": { init: [true, true], same: true },
  "in GJS, with a sandbox properties of the sandbox are set at the construction or later": {
    first: [5000, true, true],
    second: [null, true, ["network"]],
    sandbox: null,
    maximum: 128 * 1024 * 1024,
    nonsense: typeError,
    output: output("x\n"),
  },
};
