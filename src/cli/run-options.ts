import { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import type { Share } from "../permissions/permission-set.js";
import type { Aspect } from "../plan/guarantees.js";
import { aspects } from "../plan/guarantees.js";
import { printable } from "../subprocess/printable.js";

/** What the command line of `gio-sandbox run` says. */
export interface RunOptions {
  readonly permissions: SandboxPermissions;
  /** Variables to set, in order; null: to unset. */
  readonly environment: readonly (readonly [name: string, value: string | null])[];
  /** The working directory inside the sandbox; null for `/`. */
  readonly directory: string | null;
  /** Descriptors that the child gets at their own numbers. */
  readonly descriptors: readonly number[];
  /** The aspects that must be enforced; null for those of the launcher. */
  readonly required: readonly Aspect[] | null;
  /** The file that the report is written to; null for none. */
  readonly reportFile: string | null;
  /** The command and its arguments. */
  readonly argv: readonly string[];
}

/** A command line that cannot be understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Option {
  /** The word for its value in the help. */
  readonly value: string;
  readonly help: string;
  readonly apply: (options: OptionsBuilder, value: string) => void;
}

/** The options by name, in the order of the help. */
export const runOptionTable: ReadonlyMap<string, Option> = new Map<string, Option>([
  [
    "--share",
    {
      value: "SUBSYSTEM",
      help: "share network or ipc with the host",
      apply: ({ permissions }, value) => void permissions.share(value as Share),
    },
  ],
  [
    "--filesystem",
    {
      value: "PATH[:ro|:rw]",
      help: "let the command see a file or directory; :rw is the default",
      apply: ({ permissions }, value) => void permissions.addFilesystem(value),
    },
  ],
  [
    "--env",
    {
      value: "NAME=VALUE",
      help: "set a variable; the environment starts nearly empty",
      apply: ({ environment }, value) => void environment.push(variable(value)),
    },
  ],
  [
    "--unset-env",
    {
      value: "NAME",
      help: "unset a variable",
      apply: ({ environment }, value) => void environment.push([value, null]),
    },
  ],
  [
    "--cwd",
    {
      value: "DIR",
      help: "the working directory, inside the sandbox; / by default",
      apply: (options, value) => (options.directory = value),
    },
  ],
  [
    "--forward-fd",
    {
      value: "FD",
      help: "let the command have an inherited descriptor",
      apply: ({ descriptors }, value) => void descriptors.push(descriptor(value)),
    },
  ],
  [
    "--require",
    {
      value: "ASPECT,…",
      help: "run nothing unless these aspects are enforced in full: see gio-sandbox explain; all or none of them",
      apply: (options, value) => (options.required = [...(options.required ?? []), ...requirement(value)]),
    },
  ],
  [
    "--report",
    {
      value: "FILE",
      help: "write what holds for the command to a file, as JSON, before it starts",
      apply: (options, value) => (options.reportFile = value),
    },
  ],
]);

interface OptionsBuilder {
  readonly permissions: SandboxPermissions;
  readonly environment: [string, string | null][];
  directory: string | null;
  readonly descriptors: number[];
  required: readonly Aspect[] | null;
  reportFile: string | null;
}

/**
 * Reads what `gio-sandbox run` is given.
 *
 * @throws UsageError for what is no option of ours, or has a value that it cannot have
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function parseRunOptions(words: readonly string[]): RunOptions {
  const options = parseSandboxOptions(words);
  if (options.argv.length === 0) throw new UsageError("There is no command to run: put it behind “--”");
  return options;
}

/** The same where there need not be a command. */
export function parseSandboxOptions(words: readonly string[]): RunOptions {
  const options: OptionsBuilder = {
    permissions: new SandboxPermissions(),
    environment: [],
    directory: null,
    descriptors: [],
    required: null,
    reportFile: null,
  };
  let index = 0;
  for (let word = words[index]; word?.startsWith("-") && word !== "--"; word = words[index]) {
    index += applyOption(options, word, words[index + 1]);
  }
  return { ...options, argv: words.slice(words[index] === "--" ? index + 1 : index) };
}

/** @returns how many words it took */
function applyOption(options: OptionsBuilder, word: string, next: string | undefined): 1 | 2 {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const option = runOptionTable.get(name);
  if (option === undefined) throw new UsageError(`There is no option “${printable(name, 80)}”`);
  const value = equals < 0 ? next : word.slice(equals + 1);
  if (value === undefined || value === "--") throw new UsageError(`${name} needs a value: ${name}=${option.value}`);
  option.apply(options, value);
  return equals < 0 ? 2 : 1;
}

function variable(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new UsageError(`--env needs NAME=VALUE, but got “${printable(text, 80)}”`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function requirement(text: string): readonly Aspect[] {
  if (text === "all") return aspects;
  if (text === "none") return [];
  const words = text.split(",");
  const unknown = words.find((word) => !(aspects as readonly string[]).includes(word));
  if (unknown === undefined) return words as Aspect[];
  throw new UsageError(`--require needs all, none or some of ${aspects.join(",")}, but got “${printable(unknown, 80)}”`);
}

function descriptor(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--forward-fd needs a number, but got “${printable(text, 80)}”`);
  return Number(text);
}
