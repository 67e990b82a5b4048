import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";
import { Operation } from "../system-call-protocol.js";
import { hasCode, withFileError } from "./failure.js";
import { checkPath, pathCall } from "./path-call.js";
import { unlinkSync } from "./paths.js";
import { FileKind, lstatSync, statSync } from "./stats.js";

export class Dirent extends FileKind {
  readonly name: string;

  constructor(name: string, mode: number) {
    super(mode);
    this.name = name;
  }
}

/** In the order of their bytes. */
export function readdirSync(path: string, options: { readonly withFileTypes: true }): Dirent[];
export function readdirSync(path: string): string[];
export function readdirSync(path: string, options: { readonly withFileTypes?: boolean } = {}): Dirent[] | string[] {
  checkPath(path);
  const withFileTypes = options.withFileTypes === true;
  const attributes = withFileTypes ? "standard::name,unix::mode" : "standard::name";
  const entries = withFileError("scandir", path, () => [...infos(path, attributes)]).sort(byName);
  if (!withFileTypes) return entries.map((info) => info.get_name());
  return entries.map((info) => new Dirent(info.get_name(), info.get_attribute_uint32("unix::mode")));
}

function* infos(path: string, attributes: string): Generator<Gio.FileInfo> {
  const flags = Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS;
  const enumerator = Gio.File.new_for_path(path).enumerate_children(attributes, flags, null);
  try {
    for (let info = enumerator.next_file(null); info !== null; info = enumerator.next_file(null)) yield info;
  } finally {
    enumerator.close(null);
  }
}

function byName(a: Gio.FileInfo, b: Gio.FileInfo): number {
  return a.get_name() < b.get_name() ? -1 : 1;
}

export interface MkdirOptions {
  readonly recursive?: boolean;
  readonly mode?: number;
}

/** @returns the first directory that was made, if that was `recursive` */
export function mkdirSync(path: string, { recursive = false, mode = 0o777 }: MkdirOptions = {}): string | undefined {
  if (recursive) return makeAll(path, mode);
  makeDirectory(path, mode);
  return undefined;
}

function makeDirectory(path: string, mode: number): void {
  pathCall("mkdir", path, { operation: Operation.MKDIR, a: mode });
}

function makeAll(path: string, mode: number): string | undefined {
  try {
    makeDirectory(path, mode);
    return path;
  } catch (error) {
    if (hasCode(error, "ENOENT") && parentOf(path) !== path) {
      const first = makeAll(parentOf(path), mode);
      return makeAll(path, mode) === undefined ? undefined : (first ?? path);
    }
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
    throw error;
  }
}

function parentOf(path: string): string {
  return GLib.path_get_dirname(path.replace(/\/+$/, ""));
}

const ATTEMPTS = 100;

/** A new directory for this user alone. Its name is the prefix and six characters. */
export function mkdtempSync(prefix: string): string {
  for (let attempt = 1; ; attempt++) {
    const path = prefix + GLib.uuid_string_random().slice(0, 6);
    try {
      pathCall("mkdtemp", path, { operation: Operation.MKDIR, a: 0o700 });
      return path;
    } catch (error) {
      if (attempt === ATTEMPTS || !hasCode(error, "EEXIST")) throw error;
    }
  }
}

export function rmdirSync(path: string): void {
  pathCall("rmdir", path, { operation: Operation.RMDIR });
}

export interface RemoveOptions {
  readonly recursive?: boolean;
  /** What is not there is no error. */
  readonly force?: boolean;
}

/** Removes a file, or if `recursive` a directory and all that is in it. */
export function rmSync(path: string, { recursive = false, force = false }: RemoveOptions = {}): void {
  try {
    if (recursive && lstatSync(path).isDirectory()) removeTree(path);
    else unlinkSync(path);
  } catch (error) {
    if (!force || !hasCode(error, "ENOENT")) throw error;
  }
}

function removeTree(directory: string): void {
  for (const name of readdirSync(directory)) {
    rmSync(`${directory}/${name}`, { recursive: true });
  }
  rmdirSync(directory);
}
