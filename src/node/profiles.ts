import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { MAX_KEY_FILE_LENGTH } from "../permissions/key-file.js";
import { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import { errnoMessage } from "../subprocess/errno.js";
import { ErrorDomain, GLibError, ioError, ioErrorFromErrno, SandboxError, sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { errnoOf } from "./system-failure.js";

/**
 * Permissions from a profile: a file in Flatpak's metadata format (docs/permissions.md).
 *
 * @param nameOrPath the path of a file, with a slash in it; or a name, whose file NAME.profile is looked for in
 *   `gio-sandbox/profiles` below $XDG_DATA_HOME and each of $XDG_DATA_DIRS, and then among our own: `strict`, `thumbnailer`,
 *   `image-loader`, `web-content`, `meson-test`
 * @param base what the profile is applied to, as a copy: nothing if absent
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a name that can be none, or a file that cannot be
 *   understood, with its path, line and key; `g-io-error-quark` NOT_FOUND, PERMISSION_DENIED and so on for one that cannot
 *   be read, NOT_REGULAR_FILE for what is no file
 */
export function loadProfile(nameOrPath: string, base: SandboxPermissions = new SandboxPermissions()): SandboxPermissions {
  const { path, text } = nameOrPath.includes("/") ? readProfile(nameOrPath) : findProfile(nameOrPath);
  try {
    return base.copy().applyKeyFile(text);
  } catch (error) {
    throw isInvalid(error) ? sandboxError("INVALID_PERMISSION", `${printable(path)}: ${error.message}`, { cause: error }) : error;
  }
}

/** Where profiles are looked for, in this order. */
export function profileDirectories(): readonly string[] {
  const home = [env["XDG_DATA_HOME"] ?? ""].find(isAbsolute) ?? join(homedir(), ".local/share");
  const listed = (env["XDG_DATA_DIRS"] ?? "").split(":").filter(isAbsolute);
  const system = listed.length > 0 ? listed : ["/usr/local/share", "/usr/share"];
  const own = fileURLToPath(new URL("../../data/profiles", import.meta.url));
  return [...[home, ...system].map((directory) => join(directory, "gio-sandbox/profiles")), own];
}

interface ProfileFile {
  readonly path: string;
  readonly text: string;
}

function findProfile(name: string): ProfileFile {
  if (!/^\w(?:[\w.-]{0,62}\w)?$/.test(name) || name.includes("..")) {
    throw sandboxError(
      "INVALID_PERMISSION",
      `Expected the name of a profile, or a path with a slash in it, but got “${printable(name, 80)}”`,
    );
  }
  for (const directory of profileDirectories()) {
    try {
      return readProfile(join(directory, `${name}.profile`));
    } catch (error) {
      // one that is there and cannot be read is not to be replaced by another in silence
      if (!isMissing(error)) throw error;
    }
  }
  const places = profileDirectories().map((directory) => printable(directory)).join(", ");
  throw ioError("NOT_FOUND", `There is no profile “${name}”: no ${name}.profile in ${places}`);
}

function readProfile(path: string): ProfileFile {
  return { path, text: decode(path, readBounded(path)) };
}

/** Bytes of a profile: UTF-8 has at most three for a character of JavaScript's. */
const MAX_BYTES = 3 * MAX_KEY_FILE_LENGTH;

function readBounded(path: string): Uint8Array {
  let fd: number | null = null;
  try {
    // without waiting for a writer, if it is a named pipe
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) throw ioError("NOT_REGULAR_FILE", `The profile ${printable(path)} is no regular file`);
    // one more than is allowed, since a file can grow
    const bytes = new Uint8Array(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0; length += read) read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length <= MAX_BYTES) return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof GLibError) throw error;
    const errno = errnoOf(error);
    throw ioErrorFromErrno(errno, `The profile ${printable(path)} cannot be read: ${errnoMessage(errno)}`, { cause: error });
  } finally {
    if (fd !== null) closeSync(fd);
  }
  throw sandboxError("INVALID_PERMISSION", `${printable(path)}: a profile has at most ${MAX_BYTES} bytes`);
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw sandboxError("INVALID_PERMISSION", `${printable(path)}: the file is not UTF-8`, { cause });
  }
}

function isInvalid(error: unknown): error is GLibError {
  return error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION);
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof GLibError ? error.cause : null;
  return cause !== null && ["ENOENT", "ENOTDIR"].includes(errnoOf(cause));
}
