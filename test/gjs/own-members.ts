/** Names, by node-gtk's rule, that one shell alone has. */
interface OwnMembers {
  readonly side: "node" | "gjs";
  readonly reason: string;
  /** By the class; `static` and the class for its static members; `exports` for the module's. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const waiting = ["wait", "waitCheck", "communicate", "communicateUtf8"];

const ownMembers: readonly OwnMembers[] = [
  {
    side: "node",
    reason: "GLib has them",
    names: { exports: ["GLibError", "ErrorDomain", "IOErrorEnum", "SpawnError", "SubprocessFlags"] },
  },
  {
    side: "gjs",
    reason: "blocking forms, which Node cannot have, and the second halves of those with callbacks",
    names: {
      SandboxSubprocess: [...waiting, ...waiting.map((name) => `${name}Finish`), "init"],
      SandboxSubprocessLauncher: ["spawnv", "spawnvFinish", "openSandbox", "openSandboxFinish"],
      "static SandboxSubprocess": ["new"],
    },
  },
  {
    side: "node",
    reason: "the asynchronous forms of what GIO has blocking ones for",
    names: { SandboxSubprocess: ["initAsync"], "static SandboxSubprocess": ["newAsync"] },
  },
  {
    side: "node",
    reason: "gjs 1.74 has no `using`",
    names: {
      SandboxSubprocess: ["Symbol.asyncDispose"],
      SandboxSubprocessLauncher: ["Symbol.dispose"],
      Sandbox: ["Symbol.asyncDispose"],
    },
  },
  {
    side: "node",
    reason: "for the other modules of the shell, which are behind the face in GJS",
    names: {
      SandboxSubprocessLauncher: ["launch"],
      "static SandboxSubprocess": ["ofRunning"],
    },
  },
  {
    side: "gjs",
    reason: "on Node it is a field of each object",
    names: { Sandbox: ["permissions"] },
  },
  {
    side: "gjs",
    reason: "GObject's properties for the construction; on Node they are parameters of the constructor",
    names: { SandboxSubprocess: ["argv", "flags"], SandboxSubprocessLauncher: ["flags"] },
  },
];

/** What is known to be on one side only. */
export function sides(class_: string): { readonly node: readonly string[]; readonly gjs: readonly string[] } {
  const of = (wanted: OwnMembers["side"]): string[] =>
    ownMembers.filter(({ side }) => side === wanted).flatMap(({ names }) => names[class_] ?? []);
  return { node: of("node"), gjs: of("gjs") };
}
