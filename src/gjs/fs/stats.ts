import { Operation } from "../system-call-protocol.js";
import { fileError, hasCode } from "./failure.js";
import { pathCall } from "./path-call.js";

// include/uapi/linux/stat.h
const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFBLK = 0o060000;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;

/** What the mode of a file tells of its kind. */
export class FileKind {
  readonly #kind: number;

  constructor(mode: number) {
    this.#kind = mode & S_IFMT;
  }

  isFile(): boolean {
    return this.#kind === S_IFREG;
  }

  isDirectory(): boolean {
    return this.#kind === S_IFDIR;
  }

  isSymbolicLink(): boolean {
    return this.#kind === S_IFLNK;
  }

  isSocket(): boolean {
    return this.#kind === S_IFSOCK;
  }

  isFIFO(): boolean {
    return this.#kind === S_IFIFO;
  }

  isCharacterDevice(): boolean {
    return this.#kind === S_IFCHR;
  }

  isBlockDevice(): boolean {
    return this.#kind === S_IFBLK;
  }
}

/** As of stat(2), without the times. */
export class Stats<T extends number | bigint> extends FileKind {
  readonly dev: T;
  readonly ino: T;
  readonly mode: T;
  readonly nlink: T;
  readonly uid: T;
  readonly gid: T;
  readonly rdev: T;
  readonly size: T;

  /** @param field the number at each place of what STAT replies */
  constructor(field: (index: number) => T) {
    super(Number(field(2)));
    this.dev = field(0);
    this.ino = field(1);
    this.mode = field(2);
    this.nlink = field(3);
    this.uid = field(4);
    this.gid = field(5);
    this.rdev = field(6);
    this.size = field(7);
  }
}

export interface StatOptions {
  readonly bigint?: boolean;
  /** False: undefined is returned for what is not there. */
  readonly throwIfNoEntry?: boolean;
}

type Bigint = StatOptions & { readonly bigint: true };
type IfThere = StatOptions & { readonly throwIfNoEntry: false };
type Found = Stats<number> | Stats<bigint>;

export function statSync(path: string, options: Bigint & IfThere): Stats<bigint> | undefined;
export function statSync(path: string, options: Bigint): Stats<bigint>;
export function statSync(path: string, options: IfThere): Stats<number> | undefined;
export function statSync(path: string, options?: StatOptions): Stats<number>;
export function statSync(path: string, options: StatOptions = {}): Found | undefined {
  return ifThere(options, () => lookUp(Operation.STAT, "stat", path, options));
}

export function lstatSync(path: string, options: Bigint & IfThere): Stats<bigint> | undefined;
export function lstatSync(path: string, options: Bigint): Stats<bigint>;
export function lstatSync(path: string, options: IfThere): Stats<number> | undefined;
export function lstatSync(path: string, options?: StatOptions): Stats<number>;
export function lstatSync(path: string, options: StatOptions = {}): Found | undefined {
  return ifThere(options, () => lookUp(Operation.LSTAT, "lstat", path, options));
}

export function fstatSync(descriptor: number, options: Bigint): Stats<bigint>;
export function fstatSync(descriptor: number, options?: StatOptions): Stats<number>;
export function fstatSync(descriptor: number, options: StatOptions = {}): Found {
  try {
    // leads to the very file, be it deleted or a symbolic link
    return lookUp(Operation.STAT, "fstat", `/proc/self/fd/${descriptor}`, options);
  } catch (error) {
    throw hasCode(error, "ENOENT") ? fileError("EBADF", "fstat") : error;
  }
}

function lookUp(operation: Operation, syscall: string, path: string, { bigint = false }: StatOptions): Found {
  const { data } = pathCall(syscall, path, { operation });
  const view = new DataView(data.buffer, data.byteOffset);
  const field = (index: number): bigint => view.getBigUint64(8 * index, true);
  return bigint ? new Stats(field) : new Stats((index) => Number(field(index)));
}

function ifThere<T>({ throwIfNoEntry = true }: StatOptions, find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (!throwIfNoEntry && hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
