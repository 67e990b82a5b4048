import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";
import { errnoOfGLib } from "../glib-errno.js";
import { UnixInputStream, UnixOutputStream } from "../unix.js";
import { constants } from "./constants.js";
import { fileError, withFileError } from "./failure.js";
import { closeSync, openSync } from "./open.js";
import { checkPath } from "./path-call.js";

/**
 * Reads from a file, once.
 *
 * @param position null: from where the descriptor stands. Else the file is opened anew, so that it does not move.
 * @returns how many bytes were read: 0 at the end
 */
export function readSync(
  descriptor: number,
  buffer: Uint8Array,
  offset = 0,
  length = buffer.length - offset,
  position: number | null = null,
): number {
  const bytes = withFileError("read", undefined, () =>
    position === null ? readHere(descriptor, length) : readAt(descriptor, length, position),
  );
  buffer.set(bytes, offset);
  return bytes.length;
}

function readHere(descriptor: number, length: number): Uint8Array {
  return new UnixInputStream({ fd: descriptor, close_fd: false }).read_bytes(length, null).toArray();
}

function readAt(descriptor: number, length: number, position: number): Uint8Array {
  const stream = fileOf(descriptor).read(null);
  try {
    stream.seek(position, GLib.SeekType.SET, null);
    return stream.read_bytes(length, null).toArray();
  } finally {
    stream.close(null);
  }
}

/**
 * Writes to a file, once; or a whole string. A pipe that nobody reads can end the program: GLib before 2.82 leaves SIGPIPE
 * as it is.
 *
 * @param position null: where the descriptor stands. Else the file is opened anew, to read and write.
 * @returns how many bytes were written
 */
export function writeSync(
  descriptor: number,
  data: Uint8Array | string,
  offset = 0,
  length?: number,
  position: number | null = null,
): number {
  if (typeof data === "string") return writeAll(descriptor, new TextEncoder().encode(data));
  const bytes = data.subarray(offset, length === undefined ? undefined : offset + length);
  return withFileError("write", undefined, () =>
    position === null ? writeHere(descriptor, bytes) : writeAt(descriptor, bytes, position),
  );
}

function writeAll(descriptor: number, bytes: Uint8Array): number {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  return bytes.length;
}

function writeHere(descriptor: number, bytes: Uint8Array): number {
  return new UnixOutputStream({ fd: descriptor, close_fd: false }).write_bytes(new GLib.Bytes(bytes), null);
}

function writeAt(descriptor: number, bytes: Uint8Array, position: number): number {
  const stream = fileOf(descriptor).open_readwrite(null);
  try {
    stream.seek(position, GLib.SeekType.SET, null);
    return stream.get_output_stream().write_bytes(new GLib.Bytes(bytes), null);
  } finally {
    stream.close(null);
  }
}

function fileOf(descriptor: number): Gio.File {
  return Gio.File.new_for_path(`/proc/self/fd/${descriptor}`);
}

type Encoding = "utf8" | "latin1";

export function readFileSync(path: string): Uint8Array;
export function readFileSync(path: string, encoding: Encoding): string;
export function readFileSync(path: string, encoding?: Encoding): Uint8Array | string {
  const bytes = wholeFile(path);
  if (encoding === undefined) return bytes;
  return encoding === "latin1" ? latin1(bytes) : new TextDecoder().decode(bytes);
}

function wholeFile(path: string): Uint8Array {
  checkPath(path);
  try {
    return GLib.file_get_contents(path)[1];
  } catch (error) {
    const errno = errnoOfGLib(error);
    throw errno === "EISDIR" ? fileError(errno, "read") : fileError(errno, "open", path);
  }
}

const CHUNK = 8192;

/** What TextDecoder calls latin1 is another encoding, windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    // a typed array as it is: to spread it takes seven times as long
    text += String.fromCharCode.apply(null, bytes.subarray(start, start + CHUNK) as unknown as number[]);
  }
  return text;
}

export function writeFileSync(path: string, data: Uint8Array | string, { mode = 0o666 }: { readonly mode?: number } = {}): void {
  const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  try {
    writeAll(descriptor, typeof data === "string" ? new TextEncoder().encode(data) : data);
  } finally {
    closeSync(descriptor);
  }
}
