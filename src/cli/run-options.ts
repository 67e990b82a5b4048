import { parseLimit } from "../permissions/limit-value.js";
import type { Device, Share, Socket } from "../permissions/permission-set.js";
import type { DeviceWord, SocketWord } from "../permissions/sandbox-permissions.js";
import { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import { checkWord, features, limits } from "../permissions/vocabulary.js";
import type { Aspect } from "../plan/guarantees.js";
import { aspects } from "../plan/guarantees.js";
import { printable } from "../subprocess/printable.js";
import type { Shell } from "./shell.js";

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

/** Where profiles come from. */
type Profiles = Pick<Shell, "loadProfile">;

interface OptionsBuilder {
  readonly profiles: Profiles;
  permissions: SandboxPermissions;
  readonly environment: [string, string | null][];
  directory: string | null;
  readonly descriptors: number[];
  required: readonly Aspect[] | null;
  reportFile: string | null;
}

interface Option {
  /** Under which it stands in the help. */
  readonly section: Section;
  /** The word for its value in the help. */
  readonly value: string;
  readonly help: string;
  readonly apply: (options: OptionsBuilder, value: string) => void;
}

/** The sections of the help, in its order. */
export const sections = ["Permissions", "Limits", "The command", "The report"] as const;
type Section = (typeof sections)[number];

function permission(
  value: string,
  help: string,
  apply: (permissions: SandboxPermissions, value: string) => SandboxPermissions,
): Option {
  return { section: "Permissions", value, help, apply: ({ permissions }, given) => void apply(permissions, given) };
}

/** The options by name, in the order of the help. To add one is to add a line here, and a field to `OptionsBuilder`. */
export const runOptionTable: ReadonlyMap<string, Option> = new Map<string, Option>([
  [
    "--profile",
    {
      section: "Permissions",
      value: "NAME|FILE",
      help: "start from a profile: strict, thumbnailer, image-loader, web-content, meson-test, one of your own, or a file, with a slash in its path. All other options come on top of it, wherever they stand",
      apply: (options, value) => (options.permissions = options.profiles.loadProfile(value, options.permissions)),
    },
  ],
  ["--share", permission("SUBSYSTEM", "share network or ipc with the host", (p, value) => p.share(value as Share))],
  ["--unshare", permission("SUBSYSTEM", "don't share it", (p, value) => p.unshare(value as Share))],
  [
    "--socket",
    permission(
      "SOCKET",
      "let the command reach x11, fallback-x11, wayland, pulseaudio, pipewire, session-bus, system-bus (both unfiltered), ssh-auth, gpg-agent, pcsc, cups; with -try behind it, if it is there",
      (p, value) => p.addSocket(value as SocketWord),
    ),
  ],
  ["--nosocket", permission("SOCKET", "don't let it", (p, value) => p.removeSocket(value as Socket))],
  [
    "--device",
    permission("DEVICE", "let the command use dri (the GPU), input, kvm, shm, usb or all devices; with -try behind it, if they are there", (p, value) =>
      p.addDevice(value as DeviceWord),
    ),
  ],
  ["--nodevice", permission("DEVICE", "don't let it", (p, value) => p.removeDevice(value as Device))],
  [
    "--filesystem",
    permission(
      "PATH[:MODE]",
      "let the command see a file or directory, or home, ~/DIR, host, host-os, host-etc, host-fonts, xdg-pictures, xdg-config/DIR and so on. MODE is rw, ro, create, rw-try or ro-try; rw if there is none",
      (p, value) => p.addFilesystem(value),
    ),
  ],
  ["--nofilesystem", permission("PATH", "don't let it, and hide it where it lies in what it sees", (p, value) => p.removeFilesystem(value))],
  ["--talk-name", permission("NAME", "let the command talk to a name on the session bus; NAME.* is all below it too", (p, value) => p.addTalkName(value))],
  ["--own-name", permission("NAME", "let it own the name", (p, value) => p.addOwnName(value))],
  ["--see-name", permission("NAME", "let it see the name, and no more", (p, value) => p.addSeeName(value))],
  ["--no-talk-name", permission("NAME", "take back what was given for the name", (p, value) => p.removeName(value))],
  ["--system-talk-name", permission("NAME", "let it talk to a name on the system bus", (p, value) => p.addSystemTalkName(value))],
  ["--system-own-name", permission("NAME", "let it own the name", (p, value) => p.addSystemOwnName(value))],
  ["--system-see-name", permission("NAME", "let it see the name, and no more", (p, value) => p.addSystemSeeName(value))],
  ["--system-no-talk-name", permission("NAME", "take back what was given for the name", (p, value) => p.removeSystemName(value))],
  ["--allow", permission("FEATURE", "allow portals (the desktop's, which ask the user) or a11y (screen readers)", (p, value) => allow(p, value))],
  ["--disallow", permission("FEATURE", "don't allow it", (p, value) => disallow(p, value))],
  [
    "--syscalls",
    permission(
      "CALLS",
      "allow only these system calls and groups, as @system-service,ptrace; or with ~ before the first, block them besides the list that is blocked anyhow",
      (p, value) => p.setSyscalls(value.split(/[\s,;]+/).filter((word) => word !== "")),
    ),
  ],
  [
    "--limit",
    {
      section: "Limits",
      value: "KIND=VALUE",
      help: "bound memory, address-space, file-size, core, tmpfs (as 512M), cpu-time, timeout (as 10s), open-files, processes; “default” takes a profile's limit away",
      apply: ({ permissions }, value) => setLimit(permissions, value),
    },
  ],
  [
    "--timeout",
    {
      section: "Limits",
      value: "TIME",
      help: "kill the command and all that it started after this time, as 30s; the same as --limit=timeout=TIME",
      apply: ({ permissions }, value) => setLimit(permissions, `timeout=${value}`),
    },
  ],
  [
    "--env",
    {
      section: "The command",
      value: "NAME=VALUE",
      help: "set a variable; the environment starts nearly empty",
      apply: ({ environment }, value) => void environment.push(variable(value)),
    },
  ],
  [
    "--unset-env",
    {
      section: "The command",
      value: "NAME",
      help: "unset a variable",
      apply: ({ environment }, value) => void environment.push([value, null]),
    },
  ],
  [
    "--cwd",
    {
      section: "The command",
      value: "DIR",
      help: "the working directory, inside the sandbox; / by default",
      apply: (options, value) => (options.directory = value),
    },
  ],
  [
    "--forward-fd",
    {
      section: "The command",
      value: "FD",
      help: "let the command have an inherited descriptor",
      apply: ({ descriptors }, value) => void descriptors.push(descriptor(value)),
    },
  ],
  [
    "--require",
    {
      section: "The report",
      value: "ASPECT,…",
      help: "run nothing unless these aspects are enforced in full: see gio-sandbox explain; all or none of them",
      apply: (options, value) => (options.required = [...(options.required ?? []), ...requirement(value)]),
    },
  ],
  [
    "--report",
    {
      section: "The report",
      value: "FILE",
      help: "write what holds for the command to a file, as JSON, before it starts",
      apply: (options, value) => (options.reportFile = value),
    },
  ],
]);

/**
 * Reads what `gio-sandbox run` is given.
 *
 * @throws UsageError for what is no option of ours, or has a value that it cannot have
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION, and what `loadProfile()` throws
 */
export function parseRunOptions(words: readonly string[], profiles: Profiles): RunOptions {
  const options = parseSandboxOptions(words, profiles);
  if (options.argv.length === 0) throw new UsageError("There is no command to run: put it behind “--”");
  return options;
}

/** The same where there need not be a command. */
export function parseSandboxOptions(words: readonly string[], profiles: Profiles): RunOptions {
  const { given, argv } = splitWords(words);
  const options: OptionsBuilder = {
    profiles,
    permissions: new SandboxPermissions(),
    environment: [],
    directory: null,
    descriptors: [],
    required: null,
    reportFile: null,
  };
  // what a profile says is where the others start from, wherever it stands
  const first = given.filter(({ name }) => name === "--profile");
  const others = given.filter(({ name }) => name !== "--profile");
  for (const { option, value } of [...first, ...others]) option.apply(options, value);
  const { permissions, environment, directory, descriptors, required, reportFile } = options;
  return { permissions, environment, directory, descriptors, required, reportFile, argv };
}

interface GivenOption {
  readonly name: string;
  readonly option: Option;
  readonly value: string;
}

function splitWords(words: readonly string[]): { readonly given: readonly GivenOption[]; readonly argv: readonly string[] } {
  const given: GivenOption[] = [];
  let index = 0;
  for (let word = words[index]; word?.startsWith("-") && word !== "--"; word = words[index]) {
    given.push(readOption(word, words[index + 1]));
    index += word.includes("=") ? 1 : 2;
  }
  return { given, argv: words.slice(words[index] === "--" ? index + 1 : index) };
}

/** @param next the word behind it, which is its value if it has none of its own */
function readOption(word: string, next: string | undefined): GivenOption {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const option = runOptionTable.get(name);
  if (option === undefined) throw new UsageError(`There is no option “${printable(name, 80)}”`);
  const value = equals < 0 ? next : word.slice(equals + 1);
  if (value === undefined || value === "--") throw new UsageError(`${name} needs a value: ${name}=${option.value}`);
  return { name, option, value };
}

function allow(permissions: SandboxPermissions, word: string): SandboxPermissions {
  return checkWord(word, features, "a feature") === "portals" ? permissions.allowPortals() : permissions.allowA11y();
}

function disallow(permissions: SandboxPermissions, word: string): SandboxPermissions {
  return checkWord(word, features, "a feature") === "portals" ? permissions.disallowPortals() : permissions.disallowA11y();
}

function setLimit(permissions: SandboxPermissions, text: string): void {
  const [kind, value = ""] = splitAtEquals(text);
  const limit = checkWord(kind, limits, "a limit");
  if (value === "default") permissions.removeLimit(limit);
  else permissions.setLimit(limit, parseLimit(limit, value));
}

function variable(text: string): [string, string] {
  const [name, value] = splitAtEquals(text);
  if (name === "" || value === undefined) throw new UsageError(`--env needs NAME=VALUE, but got “${printable(text, 80)}”`);
  return [name, value];
}

function splitAtEquals(text: string): readonly [string, string?] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text] : [text.slice(0, equals), text.slice(equals + 1)];
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
