import type { BubblewrapPlan } from "./launch-plan.js";

/** One of bwrap's options, with the words that belong to it. */
export interface BubblewrapOption {
  readonly name: string;
  readonly operands: readonly string[];
}

/** The part of a plan that says what the sandbox is. */
export type SandboxPlan = Pick<BubblewrapPlan, "argv" | "descriptors">;

/**
 * The options that a plan gives to bwrap in its `--args`.
 *
 * @throws RangeError for an option that a report could not speak of, since nobody has told this table of it
 */
export function bubblewrapOptions(plan: SandboxPlan): readonly BubblewrapOption[] {
  const words = argumentsOf(plan);
  const options: BubblewrapOption[] = [];
  for (let index = 0; index < words.length; ) {
    const name = words[index] ?? "";
    const count = operandCounts.get(name);
    if (count === undefined) throw new RangeError(`The plan has an option that reports do not know: ${name}`);
    options.push({ name, operands: words.slice(index + 1, index + 1 + count) });
    index += 1 + count;
  }
  return options;
}

/** How many words follow each of the options that planners use: bwrap(1). */
const operandCounts: ReadonlyMap<string, number> = new Map([
  ...counted(0, ["--unshare-all", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]),
  ...counted(0, ["--unshare-cgroup-try", "--share-net", "--disable-userns", "--new-session", "--as-pid-1", "--clearenv"]),
  ...counted(1, ["--cap-drop", "--hostname", "--seccomp", "--add-seccomp-fd", "--sync-fd", "--info-fd", "--block-fd"]),
  ...counted(1, ["--perms", "--size", "--tmpfs", "--dir", "--proc", "--dev", "--remount-ro", "--chdir"]),
  ...counted(2, ["--ro-bind", "--ro-bind-try", "--bind", "--bind-try", "--dev-bind", "--dev-bind-try"]),
  ...counted(2, ["--ro-bind-fd", "--bind-fd", "--symlink", "--file", "--bind-data", "--ro-bind-data", "--chmod", "--setenv"]),
]);

function counted(count: number, options: readonly string[]): [string, number][] {
  return options.map((option) => [option, count]);
}

function argumentsOf({ argv, descriptors }: SandboxPlan): readonly string[] {
  const data = descriptors[Number(argv[argv.indexOf("--args") + 1])];
  if (data?.kind !== "data") throw new RangeError("The plan has no arguments in a descriptor");
  return new TextDecoder().decode(data.bytes).split("\0").slice(0, -1);
}
