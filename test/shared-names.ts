/** The names of the tests of what a launcher and its processes do, which Node's shell and GJS's have in common. */

const flagSets = ["", "/no-pipes", "/separate-stderr", "/stdout-only", "/stderr-only", "/stdout-silence"];

const upstream = [
  "noop: a program that does nothing succeeds",
  "noop-all-to-null: so it does with its output silenced",
  "noop-no-wait: a child that nobody waits for ends by itself",
  "noop-stdin-inherit: a child can have the parent's standard input",
  "search-path: a program without a slash is looked up in the sandbox's PATH",
  "search-path-from-envp: or in the launcher's PATH, if the flag says so",
  "signal: a child that a signal ends is told from one that exits",
  "exit1: an exit status above 0 is an error with that code",
  "exit1/cancel: cancelled after the exit and before the completion is cancelled",
  "exit1/cancel_in_cb: cancelled after the completion changes nothing",
  "echo1: the pipe has all that the child prints",
  "echo-merged: standard error goes where standard output goes, in order",
  "cat-utf8: text goes in and comes out",
  "cat-eof: nothing comes before the input, and the end of the input ends the child",
  "multi1: one launcher starts three children, chained by their pipes",
  ...flagSets.flatMap((flags) => [
    `communicate${flags}, communicate/async${flags}: input goes in, and what is a pipe comes out`,
    `communicate/utf8${flags}, communicate/utf8/async${flags}: so does text`,
    `communicate/cancelled${flags}, communicate/utf8/cancelled${flags}: cancelled before is cancelled`,
    `communicate/async/cancelled${flags}: cancelled right after the start is cancelled, and no signal`,
    `communicate/utf8/async/cancelled${flags}: the same with text`,
  ]),
  "communicate/utf8/invalid: output that is no UTF-8 is an error",
  "communicate/utf8/async/invalid: output that is no UTF-8 is an error",
  "communicate/nothing: no output is an empty string, not null",
  "terminate: a child has an identifier until it is forced to exit",
  "fail-initialization: a program that is not there is NOENT",
  "env: a child has the variables that were set",
  "env/inherit: null is the parent's environment",
  "launcher-environment: without it, the parent's variables stay outside",
  "cwd: a child starts in the directory that was set",
  "launcher-close: closing it closes what it took, and ends its launching",
  "stdout-file: standard output can be a file of the host, which the parent opens",
  "stdout-fd: standard output can be a descriptor",
  "pass-fd/basic: a child gets descriptors, at the same number and at another",
  "pass-fd/inherit-fds: a child gets descriptors, at the same number and at another",
  "fd-conflation/basic: mappings do not overwrite each other's sources",
];

function group(name: string, titles: readonly string[]): string[] {
  return titles.map((title) => `${name} ${title}`);
}

export const sharedNames: readonly string[] = [
  ...group("/gsubprocess", upstream),
  ...group("the status of a child", [
    "is exact for every exit status",
    "is exact for every signal that ends a process",
    "cannot be asked for before the end",
    "comes with what the child used",
    "is there without any call to wait",
  ]),
  ...group("waiting", [
    "ends for each who waits, although another cancels",
    "tells those who wait in the order in which they came",
    "is cancelled by a signal that was aborted already, also after the end",
    "is not ended by a child that stops",
    "leaves no listener on the signal",
  ]),
  "cancelling a launch leaves no process and no descriptor, whenever it comes",
  ...group("communicating", [
    "moves a megabyte through both pipes",
    "takes null for no input",
    "is a TypeError with input and without a pipe for it",
    "fails when the child closes its input early, as a broken pipe",
    "is possible once",
    "is not possible twice at the same time",
    "gives text up to the first NUL, and bytes whole",
    "says at which byte text stops being UTF-8, of standard output first",
    "waits for a grandchild that holds the pipe",
    "that is cancelled closes the pipes and leaves the child",
    "stops at the launcher's maximum",
  ]),
  ...group("the standard streams of a child", [
    "are real pipes, which it can open again by name",
    "are the same objects each time",
    "are /dev/null where nothing else was said",
    "can be merged into a file, which is emptied first",
    "can come from a file of the host that the child itself could not open",
    "that cannot be opened fail in GIO's words",
    "of the parent's end with an error for writing do not end the program",
    "give way to a descriptor of the table",
  ]),
  ...group("a launcher", [
    "refuses a second disposition in each of its setters, and does not take the descriptor",
    "closes a descriptor when another one takes its place, and not one that it took twice",
    "can be used again, with what was set since",
    "may be closed, and its descriptors with it, as soon as a launch was asked for",
    "gives one descriptor to several children",
    "swaps descriptors, and of equal targets the last counts",
    "looks a program up in the sandbox, not in the launcher's PATH",
    "looks it up in /bin and /usr/bin if the flag asks for a PATH that is not there",
    "fails as GIO does for what cannot be executed",
    "fails as the kernel does for more arguments than a program can have",
    "runs a text file without an interpreter with /bin/sh",
    "kills a child that does not end within its timeout, and all that it started",
    "freezes its permissions at the first launch",
  ]),
  ...group("a subprocess without a launcher", [
    "is started at once, or by its initialisation",
    "that is cancelled before it starts is not started",
  ]),
  ...group("the end of a child's scope", [
    "sends a signal to nobody after the end",
    "takes no notice of a number that is no signal",
  ]),
];

/** Names that one of the two alone has, and why. */
export interface OwnNames {
  readonly reason: string;
  readonly names: readonly string[];
}

export const nodeNames: readonly OwnNames[] = [
  {
    reason: "GJS has no other cancellable, whose test is in every scenario that cancels",
    names: [
      "a Gio.Cancellable of node-gtk's cancels every operation as an AbortSignal does",
      "a Gio.Cancellable of node-gtk's is let go of in the end",
    ],
  },
  {
    reason: "gjs 1.74 has no Symbol.asyncDispose and no `using`",
    names: ["the end of a child's scope ends it with all that it started, and leaves nothing"],
  },
  {
    reason: "the scenarios in GJS have no fixture programs",
    names: ["permissions of the fixtures are for reading only"],
  },
];

export const gjsNames: readonly OwnNames[] = [
  {
    reason: "Node has no blocking forms, and no main contexts",
    names: group("in GJS", [
      "a blocking call works in a callback of the main loop",
      "a blocking call works in a callback that belongs to another operation",
      "the application's own sources wait while a blocking call does",
      "the application's own sources go on during an asynchronous call",
      "an operation that ends while another blocks is told of afterwards",
      "an operation in another main context is told of there",
    ]),
  },
  {
    reason: "Node has promises only, and no finish",
    names: group("in GJS", [
      "cancelled in the callback and before finish is cancelled",
      "a callback comes once, from the main loop, with its process and a result",
      "a callback may be null",
    ]),
  },
  {
    reason: "GObject's classes and GIO's streams are what GJS has",
    names: group("in GJS", [
      "the methods take as many parameters as GIO's",
      "the properties flags and argv are for the construction, and are not read",
      "the classes are GObject's, and a subprocess is a Gio.Initable",
      "what is no set of properties does not make an object",
      "output comes line by line while the child runs",
      "a stream that is closed closes its descriptor",
      "communicate takes an array of bytes, and no text",
      "communicate after the pipes were used gives the rest",
      "a child is killed when the application cancels, as applications do it",
    ]),
  },
  {
    reason: "GIO differs here, so that the difference is written down; on Node test/node/bad-input.test.ts and others look at it",
    names: group("in GJS", [
      "communicate takes null for no input, too",
      "text for the child ends at its first NUL",
      "flags for one stream that contradict each other have an order in a subprocess",
      "a command is a list of strings that begins with a program",
      "a setter that is told nonsense says so",
      "null undoes a setting, as it does in C",
      "a child starts in / unless it is told otherwise",
      "a closed launcher takes no more descriptors",
      "a descriptor that is not open cannot be given to a child",
      "parameters that are left out",
      "setters of which too little is told",
    ]),
  },
  {
    reason: "the comparison with GIO adds them to what Node's tests see to elsewhere",
    names: group("in GJS", [
      "standard output and error are the parent's where nothing else was said",
      "a file for standard error is for that alone",
      "a child that reads to the end of its input ends with the pipe",
      "the pipes of the parent are not the child's",
      "many children at once all come to their ends",
      "a signal reaches the child itself, which may have its own way with it",
    ]),
  },
  {
    reason: "what GIO has nothing like is in other files on Node: test/node/sandbox.test.ts, reports.test.ts, profiles.test.ts",
    names: group("in GJS, with a sandbox", [
      "a launch can be asynchronous",
      "an error of our own domain can be matched",
      "permissions decide what a child sees",
      "a profile can be loaded by its name",
      "a report says what holds, before and after the launch",
      "an open sandbox is shared by its children",
      "an open sandbox tells when its memory is used up, and goes on",
      "an open sandbox that ends takes its children with it",
      "sandboxes can be kept ready",
      "a subprocess that is initialised again stays what it is",
      "properties of the sandbox are set at the construction or later",
    ]),
  },
];

/** All names of one side. */
export function allNames(own: readonly OwnNames[]): string[] {
  return [...sharedNames, ...own.flatMap(({ names }) => names)];
}
