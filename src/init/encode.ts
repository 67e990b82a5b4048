import { descriptorError, execError, sandboxError } from "../subprocess/glib-error.js";
import type { Origin, SignalScope } from "./protocol.js";
import { Bound, Frame, HEADER_SIZE, MAGIC, NamespaceFlag, Operation, Section, VERSION, WatchFlag } from "./protocol.js";

/** A string as the kernel has it: text becomes UTF-8, bytes stay what they are. Neither may contain NUL. */
export type ByteString = string | Uint8Array;

/** One descriptor of the child. Mappings are done in order; of equal targets the last wins. */
export interface DescriptorMapping {
  /** The number in the child. */
  readonly target: number;
  readonly origin: Origin;
  /** INHERITED: the number that init was started with. RECEIVED: the index among those sent for this launch. */
  readonly source: number;
}

/** One limit, see setrlimit(2). Null is infinity. */
export interface ResourceLimit {
  /** RLIMIT_*, Linux's number. */
  readonly resource: number;
  readonly soft: number | null;
  readonly hard: number | null;
}

/** What a path must be before anything starts: st_dev and st_ino of stat(2). */
export interface FileIdentity {
  readonly path: ByteString;
  readonly device: bigint;
  readonly inode: bigint;
}

/** A LAUNCH frame. */
export interface LaunchOrder {
  /** The launcher's number for the process, 1 to 2³²−1: no living process of the sandbox has it. */
  readonly process: number;
  /** At least one. */
  readonly argv: readonly ByteString[];
  /** NAME=VALUE each: the whole environment. */
  readonly environment: readonly ByteString[];
  readonly directory: ByteString;
  /** Where to look for argv[0] if it has no slash, as $PATH is written. Null: it is not searched for. */
  readonly searchPath: ByteString | null;
  readonly descriptors: readonly DescriptorMapping[];
  readonly limits: readonly ResourceLimit[];
  /** Classic BPF programs, 8 bytes an instruction, installed in this order. */
  readonly filters: readonly Uint8Array[];
  readonly identities: readonly FileIdentity[];
  /** Wall-clock time that the process may take. Null: any. */
  readonly timeoutMilliseconds: number | null;
  /** What the sandbox may use from now on, if that is stricter than before. Absent: as before; at first all it wants. */
  readonly watch?: Watch;
  /** Directories that are file systems in memory and the sandbox's own. For the first launch in a sandbox. */
  readonly tmpfs?: readonly ByteString[];
}

/** What all processes of a sandbox may use together. Null is no limit. */
export interface Watch {
  readonly memoryBytes: number | null;
  /** Threads count as well. */
  readonly processes: number | null;
  /** Whether the sandbox has an IPC namespace of its own, in which all shared memory is its. */
  readonly hasOwnIpc: boolean;
}

/** A MAKE frame. */
export interface MakeOrder {
  /** The launcher's number for the sandbox's init, as in `LaunchOrder`. */
  readonly process: number;
  /** Whether these namespaces are the sandbox's own, too. */
  readonly hasOwnNetwork: boolean;
  readonly hasOwnIpc: boolean;
  /** A line of /proc/PID/uid_map: user_namespaces(7). */
  readonly userMap: string;
  /** A line of /proc/PID/gid_map. */
  readonly groupMap: string;
  /** Empty file systems in memory, in this order. */
  readonly privateDirectories: readonly PrivateDirectory[];
  /** What is mounted in those of the template, and is to be in the sandbox's; none within another. */
  readonly carried: readonly string[];
  /** Paths below /proc that can only be read. */
  readonly covers: readonly string[];
  /** As in `LaunchOrder`, for init as well. */
  readonly filters: readonly Uint8Array[];
}

/** A FURNISH frame. */
export interface FurnishOrder {
  /** As in `MakeOrder`. */
  readonly userMap: string;
  readonly groupMap: string;
  readonly filters: readonly Uint8Array[];
  readonly operations: readonly RootOperation[];
}

/** One step in the making of a root directory. */
export interface RootOperation {
  readonly operation: Operation;
  /** Permission bits of what is made, or bits of `BindFlag`; absent: 0. */
  readonly mode?: number;
  /** Absolute, in the new root directory. */
  readonly path: string;
  /** What a link says, a path in the old root directory, options of tmpfs(5); the bytes of a file. */
  readonly content?: string | Uint8Array;
}

/** An empty file system in memory. */
export interface PrivateDirectory {
  readonly path: string;
  /** Options of tmpfs(5). */
  readonly options: string;
}

/**
 * @param flags bits of `HelloFlag`
 */
export function encodeHello(flags: number): Uint8Array {
  return new FrameWriter(Frame.HELLO, 0, 12).u32(MAGIC).u32(VERSION).u32(flags).bytes;
}

/**
 * @throws TypeError for what no caller may give: an empty argv, NUL in a string, a number out of its range
 * @throws GLibError `g-exec-error-quark` TOO_BIG if arguments and environment are too much, FAILED for a negative
 *   descriptor; `gio-sandbox-error-quark` LIMIT_EXCEEDED if there is too much of anything else
 */
export function encodeLaunch(order: LaunchOrder): Uint8Array {
  checkCounts(order);
  const strings = [
    ...order.argv.map((argument) => stringSection(Section.ARGUMENT, argument, "an argument")),
    ...order.environment.map((variable) => stringSection(Section.VARIABLE, variable, "an environment variable")),
  ];
  const others = otherSections(order);

  const sizeOfOthers = sizeOf(others);
  if (sizeOfOthers > Bound.MAX_BODY) {
    throw sandboxError("LIMIT_EXCEEDED", "The launch is too large: too many long paths are granted");
  }
  const size = sizeOfOthers + sizeOf(strings);
  if (size > Bound.MAX_BODY) {
    throw tooManyArguments(order);
  }

  return writeSections(Frame.LAUNCH, checkedNumber(order.process, 1, "process"), [...strings, ...others]);
}

/**
 * @throws GLibError `gio-sandbox-error-quark` LIMIT_EXCEEDED if there is too much of anything
 */
export function encodeMake(order: MakeOrder): Uint8Array {
  checkCount(order.privateDirectories, Bound.MAX_TMPFS, "private directories");
  checkCount(order.carried, Bound.MAX_CARRIED, "granted paths in private directories");
  checkCount(order.covers, Bound.MAX_COVERS, "covered paths");
  checkCount(order.filters, Bound.MAX_FILTERS, "system call filters");
  const namespaces = (order.hasOwnNetwork ? NamespaceFlag.NETWORK : 0) | (order.hasOwnIpc ? NamespaceFlag.IPC : 0);
  const sections = [
    { tag: Section.NAMESPACES, content: new BodyWriter(4).u32(namespaces).bytes },
    stringSection(Section.USER_MAP, order.userMap, "the user map"),
    stringSection(Section.GROUP_MAP, order.groupMap, "the group map"),
    ...order.privateDirectories.map(privateSection),
    ...order.carried.map((path) => stringSection(Section.CARRIED, path, "a granted path")),
    ...order.covers.map((path) => stringSection(Section.COVER, path, "a covered path")),
    ...order.filters.map(filterSection),
  ];
  return writeSections(Frame.MAKE, checkedNumber(order.process, 1, "process"), sections);
}

/**
 * @throws GLibError `gio-sandbox-error-quark` LIMIT_EXCEEDED if there is too much of anything
 */
export function encodeFurnish(order: FurnishOrder): Uint8Array {
  checkCount(order.operations, Bound.MAX_OPERATIONS, "files and mounts");
  checkCount(order.filters, Bound.MAX_FILTERS, "system call filters");
  const sections = [
    stringSection(Section.USER_MAP, order.userMap, "the user map"),
    stringSection(Section.GROUP_MAP, order.groupMap, "the group map"),
    ...order.filters.map(filterSection),
    ...order.operations.map(operationSection),
  ];
  if (sizeOf(sections) > Bound.MAX_BODY) {
    throw sandboxError("LIMIT_EXCEEDED", "The sandbox is too large: too many long paths are granted");
  }
  return writeSections(Frame.FURNISH, 0, sections);
}

/**
 * @param process the launcher's number; not looked at with scope ALL
 * @param signal a signal number; one that does not exist does nothing
 */
export function encodeSignal(process: number, signal: number, scope: SignalScope): Uint8Array {
  const writer = new FrameWriter(Frame.SIGNAL, checkedNumber(process, 0, "process"), 8);
  return writer.u32(checkedNumber(signal, 0, "signal")).u32(scope).bytes;
}

export function encodeClose(): Uint8Array {
  return new FrameWriter(Frame.CLOSE, 0, 0).bytes;
}

interface EncodedSection {
  readonly tag: Section;
  readonly content: Uint8Array;
}

function writeSections(frame: Frame, process: number, sections: readonly EncodedSection[]): Uint8Array {
  const writer = new FrameWriter(frame, process, sizeOf(sections));
  for (const { tag, content } of sections) {
    writer.u32(tag).u32(content.length).padded(content);
  }
  return writer.bytes;
}

const MAX_U32 = 0xffffffff;
const MAX_U64 = 0xffffffffffffffffn;
const INFINITE = MAX_U64;
const encoder = new TextEncoder();

function checkCounts(order: LaunchOrder): void {
  if (order.argv.length === 0) {
    throw new TypeError("argv must have at least one element");
  }
  if (order.argv.length + order.environment.length > Bound.MAX_STRINGS) {
    throw tooManyArguments(order);
  }
  checkCount(order.descriptors, Bound.MAX_DESCRIPTORS, "descriptors");
  checkCount(order.limits, Bound.MAX_LIMITS, "limits");
  checkCount(order.filters, Bound.MAX_FILTERS, "system call filters");
  checkCount(order.identities, Bound.MAX_IDENTITIES, "granted paths");
  checkCount(order.tmpfs ?? [], Bound.MAX_TMPFS, "private directories");
}

function checkCount(list: readonly unknown[], most: number, what: string): void {
  if (list.length > most) {
    throw sandboxError("LIMIT_EXCEEDED", `Too many ${what} for one process: ${list.length}, at most ${most}`);
  }
}

function tooManyArguments(order: LaunchOrder): Error {
  const program = order.argv[0] ?? "";
  return execError("E2BIG", typeof program === "string" ? program : new TextDecoder().decode(program));
}

function otherSections(order: LaunchOrder): EncodedSection[] {
  const sections = [stringSection(Section.DIRECTORY, order.directory, "the working directory")];
  if (order.searchPath !== null) {
    sections.push(stringSection(Section.SEARCH_PATH, order.searchPath, "the search path"));
  }
  sections.push(
    ...order.descriptors.map(descriptorSection),
    ...order.limits.map(limitSection),
    ...order.filters.map(filterSection),
    ...order.identities.map(identitySection),
  );
  if (order.timeoutMilliseconds !== null) {
    sections.push(timeoutSection(order.timeoutMilliseconds));
  }
  if (order.watch !== undefined) {
    sections.push(watchSection(order.watch));
  }
  sections.push(...(order.tmpfs ?? []).map((path) => stringSection(Section.TMPFS, path, "a private directory")));
  return sections;
}

function stringSection(tag: Section, string: ByteString, what: string): EncodedSection {
  return { tag, content: terminated(string, what) };
}

function descriptorSection({ target, origin, source }: DescriptorMapping): EncodedSection {
  if (target < 0 || source < 0) {
    throw descriptorError("EBADF");
  }
  const content = new BodyWriter(12)
    .u32(checkedNumber(target, 0, "target descriptor"))
    .u32(origin)
    .u32(checkedNumber(source, 0, "source descriptor"));
  return { tag: Section.DESCRIPTOR, content: content.bytes };
}

function limitSection({ resource, soft, hard }: ResourceLimit): EncodedSection {
  const content = new BodyWriter(24)
    .u32(checkedNumber(resource, 0, "resource"))
    .u32(0)
    .u64(limitValue(soft))
    .u64(limitValue(hard));
  return { tag: Section.LIMIT, content: content.bytes };
}

function limitValue(value: number | null): bigint {
  if (value === null) {
    return INFINITE;
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`A limit must be a whole number of 0 or more: ${value}`);
  }
  return BigInt(value);
}

function filterSection(filter: Uint8Array): EncodedSection {
  if (filter.length === 0 || filter.length % 8 !== 0) {
    throw new TypeError(`A system call filter must have 8 bytes an instruction: ${filter.length} bytes`);
  }
  if (filter.length / 8 > Bound.MAX_FILTER_LENGTH) {
    throw sandboxError("LIMIT_EXCEEDED", `A system call filter is too long: ${filter.length / 8} instructions`);
  }
  return { tag: Section.FILTER, content: filter };
}

function identitySection({ path, device, inode }: FileIdentity): EncodedSection {
  const string = terminated(path, "a granted path");
  const content = new BodyWriter(16 + string.length)
    .u64(checkedBigNumber(device, "device"))
    .u64(checkedBigNumber(inode, "inode"))
    .raw(string);
  return { tag: Section.IDENTITY, content: content.bytes };
}

function privateSection({ path, options }: PrivateDirectory): EncodedSection {
  const strings = [terminated(path, "a private directory"), terminated(options, "options of a private directory")] as const;
  const content = new BodyWriter(strings[0].length + strings[1].length).raw(strings[0]).raw(strings[1]);
  return { tag: Section.PRIVATE, content: content.bytes };
}

function operationSection({ operation, mode = 0, path, content = new Uint8Array(0) }: RootOperation): EncodedSection {
  if (!path.startsWith("/")) {
    throw new TypeError(`A path in a root directory must be absolute: ${path}`);
  }
  const name = terminated(path, "a path in the sandbox");
  const bytes = typeof content === "string" ? terminated(content, "a path or an option") : content;
  const section = new BodyWriter(8 + name.length + bytes.length);
  return { tag: Section.OPERATION, content: section.u32(operation).u32(mode).raw(name).raw(bytes).bytes };
}

function timeoutSection(milliseconds: number): EncodedSection {
  if (!(milliseconds >= 0 && milliseconds <= Number.MAX_SAFE_INTEGER)) {
    throw new TypeError(`A timeout must be a number of milliseconds, 0 or more: ${milliseconds}`);
  }
  return { tag: Section.TIMEOUT, content: new BodyWriter(8).u64(BigInt(Math.ceil(milliseconds))).bytes };
}

function watchSection({ memoryBytes, processes, hasOwnIpc }: Watch): EncodedSection {
  const content = new BodyWriter(24)
    .u64(limitValue(memoryBytes))
    .u64(limitValue(processes))
    .u32(hasOwnIpc ? WatchFlag.OWN_IPC : 0)
    .u32(0);
  return { tag: Section.WATCH, content: content.bytes };
}

/** The bytes of a string with a NUL behind them. */
function terminated(string: ByteString, what: string): Uint8Array {
  const bytes = typeof string === "string" ? encoder.encode(string) : string;
  if (bytes.includes(0)) {
    throw new TypeError(`NUL in ${what}`);
  }
  const content = new Uint8Array(bytes.length + 1);
  content.set(bytes);
  return content;
}

function checkedNumber(value: number, least: number, what: string): number {
  if (!Number.isInteger(value) || value < least || value > MAX_U32) {
    throw new TypeError(`The ${what} must be a whole number from ${least} to ${MAX_U32}: ${value}`);
  }
  return value;
}

function checkedBigNumber(value: bigint, what: string): bigint {
  if (value < 0n || value > MAX_U64) {
    throw new TypeError(`The ${what} must be a whole number from 0 to ${MAX_U64}: ${value}`);
  }
  return value;
}

function paddedLength(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function sizeOf(sections: readonly EncodedSection[]): number {
  return sections.reduce((size, { content }) => size + 8 + paddedLength(content.length), 0);
}

/** Writes values one behind the other into a body of known size. */
class BodyWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u32(value: number): this {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += 4;
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#offset, value, true);
    this.#offset += 8;
    return this;
  }

  raw(content: Uint8Array): this {
    this.bytes.set(content, this.#offset);
    this.#offset += content.length;
    return this;
  }

  padded(content: Uint8Array): this {
    this.raw(content);
    this.#offset = paddedLength(this.#offset);
    return this;
  }
}

/** The same with a frame header in front. */
class FrameWriter extends BodyWriter {
  constructor(type: Frame, process: number, size: number) {
    super(HEADER_SIZE + size);
    this.u32(size).u32(type).u32(process);
  }
}
