import { randomBytes } from "node:crypto";
import { closeSync, constants, lstatSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { pid } from "node:process";
import { fileURLToPath } from "node:url";
import { errnoOf } from "../node/system-failure.js";
import type { Errno } from "../subprocess/errno.js";

/** The version of this package. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8")) as { version: string };
  return manifest.version;
}

/** As of `Shell`. */
export function fileKind(path: string): "file" | "link" | "other" | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  return stats.isFile() ? "file" : stats.isSymbolicLink() ? "link" : "other";
}

/** As of `Shell`. */
export function replaceFile(path: string, text: string): Errno | null {
  const temporary = join(dirname(path), `.gio-sandbox-report-${pid}-${randomBytes(8).toString("hex")}`);
  try {
    writeNew(temporary, text);
    renameSync(temporary, path);
    return null;
  } catch (cause) {
    removeIfThere(temporary);
    return errnoOf(cause);
  }
}

function writeNew(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
  try {
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
  } finally {
    closeSync(file);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it was not made, or has its name already
  }
}
