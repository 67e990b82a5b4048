import { ErrorDomain, GLibError, SandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { filesystemRequest } from "./filesystem.js";
import type { KeyFileEntry, KeyFileGroup } from "./key-file.js";
import { formatKeyFile, formatList, formatString, listValue, parseKeyFile, stringValue } from "./key-file.js";
import { formatLimit, parseLimit } from "./limit-value.js";
import type { BusPolicy, FilesystemMode, PermissionSet } from "./permission-set.js";
import type { DeviceWord, SandboxPermissions, SocketWord } from "./sandbox-permissions.js";
import { DEFAULT_SYSCALL_ERRNO, formatSyscallFilter, parseSyscallFilter } from "./syscall-filter.js";
import {
  checkWord,
  devices,
  features,
  foreignFeatures,
  invalidPermission,
  limits,
  shares,
  sockets,
} from "./vocabulary.js";

/**
 * Permissions as a file: Flatpak's metadata (flatpak-metadata(5)) with two groups more, `[Limits]` and `[Syscalls]`, and two
 * features of our own, `portals` and `a11y`.
 *
 * Two kinds of files are read. In the metadata of an application or a runtime, which has a group `[Application]`, `[Runtime]`
 * or `[Instance]`, what else Flatpak has is read over, and what the host lacks is no error, as it is none to Flatpak. In all
 * other files each word has to be known and to mean something.
 */

/**
 * Applies a file to permissions: what it grants is added, what it negates (`!x11`, `NAME=none`) is taken away. An error leaves
 * them half changed.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION that names line and key
 */
export function applyPermissionFile(permissions: SandboxPermissions, text: string): void {
  const groups = parseKeyFile(text);
  const target: Target = { permissions, isApplication: groups.some(({ name }) => applicationGroups.includes(name)) };
  const entries = groups.flatMap((group) => locatedEntries(group, target));
  entries.sort((a, b) => rank(a) - rank(b));
  for (const entry of entries) located(entry, () => entry.apply(target, entry));
}

/** What `SandboxPermissions` has, as a file that `applyPermissionFile()` reads as the same; in one order, whatever theirs. */
export function formatPermissionFile(permissions: PermissionSet): string {
  const { environment, syscalls } = permissions;
  const set = [...environment].flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]));
  const unset = [...environment].filter(([, value]) => value === null).map(([name]) => name);
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["shared", [...permissions.shared].sort()],
    ["sockets", optionalWords(permissions.sockets, permissions.optionalSockets)],
    ["devices", optionalWords(permissions.devices, permissions.optionalDevices)],
    ["filesystems", [...grantedFilesystems(permissions), ...permissions.hiddenPaths.map((path) => `!${escapedPath(path)}`).sort()]],
    ["features", features.filter((feature) => permissions[feature])],
    ["unset-environment", unset.sort()],
  ];
  return formatKeyFile([
    ["Context", lists.filter(([, list]) => list.length > 0).map(([key, list]) => [key, formatList(list)])],
    ["Session Bus Policy", sortedByKey(permissions.sessionBus)],
    ["System Bus Policy", sortedByKey(permissions.systemBus)],
    ["Environment", sortedByKey(set).map(([name, value]) => [name, formatString(value)])],
    ["Limits", sortedByKey(permissions.limits).map(([limit, value]) => [limit, formatLimit(limit, value)])],
    ["Syscalls", syscalls.kind === "default" ? [] : syscallEntries(formatSyscallFilter(syscalls), syscalls.errno)],
  ]);
}

interface Target {
  readonly permissions: SandboxPermissions;
  readonly isApplication: boolean;
}

type Apply = (target: Target, entry: LocatedEntry) => void;

interface LocatedEntry extends KeyFileEntry {
  readonly group: KeyFileGroup;
  readonly apply: Apply;
}

/** Their presence shows that a file is the metadata of an application or runtime, or tells of one that runs. */
const applicationGroups = ["Application", "Runtime", "Instance"];

/** Groups of Flatpak that say nothing of permissions. */
const meaningless = /^(?:Application|Runtime|Instance|Build|ExtensionOf|Extra Data|Extension .+)$/;

/** Permissions of Flatpak that there are none of here, beside the keys in `[Context]`. */
const foreign = /^(?:Policy .+|USB Devices)$/;

type GroupTable = (key: string) => Apply | undefined;

/** What applies the keys of a group; a group that is not here has no meaning, or is an error. */
const groupTable: ReadonlyMap<string, GroupTable> = new Map<string, GroupTable>([
  ["Context", (key) => contextTable.get(key)],
  ["Session Bus Policy", () => applySessionPolicy],
  ["System Bus Policy", () => applySystemPolicy],
  ["Environment", () => applyVariable],
  ["Limits", () => applyLimit],
  ["Syscalls", (key) => syscallTable.get(key)],
]);

const contextTable: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ["shared", ({ permissions }, { value }) => eachWord(value, {
    grant: (word) => permissions.share(checkWord(word, shares, "something to share")),
    negate: (word) => permissions.unshare(checkWord(word, shares, "something to share")),
  })],
  ["sockets", applySockets],
  ["devices", ({ permissions, isApplication }, { value }) => eachWord(value, {
    grant: (word) => permissions.addDevice(optionalWord(word, isApplication) as DeviceWord),
    negate: (word) => permissions.removeDevice(checkWord(word, devices, "a device")),
  })],
  ["filesystems", applyFilesystems],
  ["features", applyFeatures],
  ["persistent", ({ isApplication }) => {
    if (!isApplication) throw foreignPermission("A sandbox has no files of its own that stay: grant a directory with filesystems");
  }],
  ["unset-environment", ({ permissions }, { value }) => listValue(value).forEach((name) => permissions.unsetEnv(name))],
]);

const syscallTable: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ["filter", ({ permissions }, { value, group }) => {
    const errno = group.entries.find(({ key }) => key === "errno");
    permissions.setSyscalls(listValue(value), errno === undefined ? DEFAULT_SYSCALL_ERRNO : stringValue(errno.value));
  }],
  ["errno", (_target, { value, group }) => {
    parseSyscallFilter([], stringValue(value));
    if (!group.entries.some(({ key }) => key === "filter")) {
      throw invalidPermission("errno belongs to a filter, and there is none in this file");
    }
  }],
]);

function locatedEntries(group: KeyFileGroup, { isApplication }: Target): LocatedEntry[] {
  const table = groupTable.get(group.name);
  if (table !== undefined) {
    return group.entries.map((entry) => {
      const apply = table(entry.key);
      if (apply === undefined) throw invalidPermission(`${place(entry, group)}: there is no such key`);
      return { ...entry, group, apply };
    });
  }
  if (meaningless.test(group.name) || (isApplication && foreign.test(group.name))) return [];
  const name = printable(group.name, 80);
  const what = foreign.test(group.name) ? `[${name}] is Flatpak's, and is not offered here` : `there is no group [${name}]`;
  throw invalidPermission(`Line ${group.line}: ${what}`);
}

/** A key file has no order, so this is it: what takes away comes last, and counts more than what the same file gives. */
function rank({ key, value, group }: LocatedEntry): number {
  // a filter reads it too, and would be blamed for it
  if (group.name === "Syscalls" && key === "errno") return 0;
  const takesAway =
    (group.name === "Context" && key === "unset-environment") || (group.name.endsWith(" Bus Policy") && value === "none");
  return takesAway ? 2 : 1;
}

function located(entry: LocatedEntry, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION))) throw error;
    throw invalidPermission(`${place(entry, entry.group)}: ${error.message}`);
  }
}

function place({ key, line }: KeyFileEntry, { name }: KeyFileGroup): string {
  return `Line ${line}, ${printable(key, 80)} in [${name}]`;
}

interface WordActions {
  readonly grant: (word: string) => void;
  readonly negate: (word: string) => void;
}

function eachWord(value: string, { grant, negate }: WordActions): void {
  for (const word of listValue(value)) {
    if (word.startsWith("!")) negate(word.slice(1));
    else grant(word);
  }
}

function optionalWord(word: string, isOptional: boolean): string {
  return isOptional && !word.endsWith("-try") ? `${word}-try` : word;
}

function applySockets({ permissions, isApplication }: Target, { value }: KeyFileEntry): void {
  eachWord(value, {
    grant: (word) => permissions.addSocket(optionalWord(word, isApplication && word !== "fallback-x11") as SocketWord),
    negate: (word) => permissions.removeSocket(checkWord(word, sockets, "a socket")),
  });
  // Flatpak writes x11 beside it, for its own old versions, and means only the fallback
  const isFallback = listValue(value).filter((word) => /^!?fallback-x11$/.test(word)).at(-1) === "fallback-x11";
  if (isFallback) permissions.addSocket("fallback-x11");
}

function applyFilesystems({ permissions, isApplication }: Target, { value }: KeyFileEntry): void {
  const specifications = listValue(value);
  // it is about what was granted before this file, wherever in the list it stands
  if (specifications.includes("!host:reset")) permissions.removeFilesystem("host:reset");
  for (const specification of specifications) {
    if (specification === "!host:reset") permissions.removeFilesystem("host");
    else if (specification.startsWith("!")) permissions.removeFilesystem(negatedName(specification.slice(1)));
    else permissions.addFilesystem(fileSpecification(specification, isApplication));
  }
}

function negatedName(specification: string): string {
  const { name, suffix } = splitSpecification(specification);
  if (suffix === null) return name;
  throw invalidPermission(`No mode can stand behind what is taken away, but got “${printable(suffix, 80)}”`);
}

/** In the form of `addFilesystem()`, which has no escapes, but takes the last colon only if a mode is behind it. */
function fileSpecification(specification: string, isApplication: boolean): string {
  const { name, suffix } = splitSpecification(specification);
  const { mode } = filesystemRequest(name, suffix);
  const isOptional = suffix?.endsWith("-try") === true || (isApplication && mode !== "create");
  return `${name}:${mode}${isOptional ? "-try" : ""}`;
}

/** In a file a colon that belongs to a path stands behind a backslash, and so does a backslash, as in Flatpak's. */
function splitSpecification(specification: string): { readonly name: string; readonly suffix: string | null } {
  const match = /^(?<name>(?:[^\\:]|\\[^])*\\?)(?::(?<suffix>[^]*))?$/.exec(specification);
  const name = (match?.groups?.["name"] ?? "").replace(/\\([^])/g, "$1");
  return { name, suffix: match?.groups?.["suffix"] ?? null };
}

function escapedPath(path: string): string {
  return path.replace(/[\\:]/g, "\\$&");
}

function applyFeatures({ permissions, isApplication }: Target, { value }: KeyFileEntry): void {
  const check = (word: string): void => {
    if (foreignFeatures.includes(word)) return;
    checkWord(word, features, "a feature");
  };
  eachWord(value, {
    grant: (word) => {
      check(word);
      if (word === "portals") permissions.allowPortals();
      else if (word === "a11y") permissions.allowA11y();
      else if (!isApplication) throw foreignPermission(`“${word}” is a feature of Flatpak's: [Syscalls] says what may be called`);
    },
    negate: (word) => {
      check(word);
      if (word === "portals") permissions.disallowPortals();
      else if (word === "a11y") permissions.disallowA11y();
    },
  });
}

function applySessionPolicy({ permissions }: Target, { key, value }: KeyFileEntry): void {
  switch (busPolicy(value)) {
    case "none":
      return void permissions.removeName(key);
    case "see":
      return void permissions.addSeeName(key);
    case "talk":
      return void permissions.addTalkName(key);
    case "own":
      return void permissions.addOwnName(key);
  }
}

function applySystemPolicy({ permissions }: Target, { key, value }: KeyFileEntry): void {
  switch (busPolicy(value)) {
    case "none":
      return void permissions.removeSystemName(key);
    case "see":
      return void permissions.addSystemSeeName(key);
    case "talk":
      return void permissions.addSystemTalkName(key);
    case "own":
      return void permissions.addSystemOwnName(key);
  }
}

const busPolicies: readonly BusPolicy[] = ["none", "see", "talk", "own"];

function busPolicy(value: string): BusPolicy {
  return checkWord(stringValue(value), busPolicies, "a policy");
}

function applyVariable({ permissions }: Target, { key, value }: KeyFileEntry): void {
  permissions.setEnv(key, stringValue(value));
}

function applyLimit({ permissions }: Target, { key, value }: KeyFileEntry): void {
  const limit = checkWord(key, limits, "a limit");
  const text = stringValue(value);
  if (text === "default") permissions.removeLimit(limit);
  else permissions.setLimit(limit, parseLimit(limit, text));
}

function foreignPermission(message: string): Error {
  return invalidPermission(`not offered here. ${message}`);
}

function optionalWords(words: ReadonlySet<string>, optional: ReadonlySet<string>): readonly string[] {
  return [...words].sort().map((word) => optionalWord(word, optional.has(word)));
}

function grantedFilesystems({ filesystems, optionalFilesystems }: PermissionSet): readonly string[] {
  return filesystems
    .map(({ path, mode }) => `${escapedPath(path)}${modeSuffix(mode, optionalFilesystems.has(path))}`)
    .sort();
}

function modeSuffix(mode: FilesystemMode, isOptional: boolean): string {
  if (isOptional) return `:${mode}-try`;
  return mode === "rw" ? "" : `:${mode}`;
}

function sortedByKey<Key extends string, Value>(pairs: Iterable<readonly [Key, Value]>): readonly (readonly [Key, Value])[] {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
}

function syscallEntries(filter: readonly string[], errno: string): readonly (readonly [string, string])[] {
  return [["filter", formatList(filter)], ...(errno === DEFAULT_SYSCALL_ERRNO ? [] : [["errno", errno] as const])];
}
