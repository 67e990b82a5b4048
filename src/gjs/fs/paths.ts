import GLib from "gi://GLib?version=2.0";
import { Operation } from "../system-call-protocol.js";
import { checkedCall } from "../service-call.js";
import { constants } from "./constants.js";
import { fileError, withFileError } from "./failure.js";
import { closeSync, openSync } from "./open.js";
import { checkPath, pathCall, servicePath } from "./path-call.js";

export function existsSync(path: string): boolean {
  return !path.includes("\0") && GLib.file_test(path, GLib.FileTest.EXISTS);
}

export function accessSync(path: string, mode: number = constants.F_OK): void {
  checkPath(path);
  // GLib does not say why not
  if (GLib.access(path, mode) !== 0) pathCall("access", path, { operation: Operation.ACCESS, a: mode });
}

export function readlinkSync(path: string): string {
  checkPath(path);
  try {
    return GLib.file_read_link(path);
  } catch {
    // a target that is no UTF-8, or an error that GLib does not tell from others
    return new TextDecoder().decode(pathCall("readlink", path, { operation: Operation.READLINK }).data);
  }
}

// include/uapi/asm-generic/fcntl.h
const O_PATH = 0o10000000;

export function realpathSync(path: string): string {
  const descriptor = openSync(path, O_PATH);
  try {
    return withFileError("realpath", path, () => GLib.file_read_link(`/proc/self/fd/${descriptor}`));
  } finally {
    closeSync(descriptor);
  }
}

export function renameSync(from: string, to: string): void {
  const data = new TextEncoder().encode(`${servicePath(from)}\0${servicePath(to)}`);
  checkedCall({ operation: Operation.RENAME, data }, (errno) => fileError(errno, "rename", from));
}

export function unlinkSync(path: string): void {
  pathCall("unlink", path, { operation: Operation.UNLINK });
}
