import { closeSync, constants, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { randomBytes } from "node:crypto";
import type { SandboxReport } from "../plan/sandbox-report.js";
import { errnoMessage } from "../subprocess/errno.js";
import { ioErrorFromErrno } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { errnoOf } from "../node/system-failure.js";
import { UsageError } from "./run-options.js";

/**
 * Writes a report, whole or not at all: to a new file beside the one that is meant, which then takes its name. So a link
 * that somebody has put there is replaced, and not followed.
 *
 * @throws GLibError `g-io-error-quark` for a file that cannot be written
 * @throws UsageError for what is there and is no file
 */
export function writeReport(path: string, report: SandboxReport): void {
  const old = lstatSync(path, { throwIfNoEntry: false });
  if (old !== undefined && !old.isFile() && !old.isSymbolicLink()) {
    throw new UsageError(`--report needs a file, but “${printable(path, 200)}” is something else`);
  }
  const temporary = join(dirname(path), `.gio-sandbox-report-${process.pid}-${randomBytes(8).toString("hex")}`);
  try {
    writeNew(temporary, `${JSON.stringify(report, null, 2)}\n`);
    renameSync(temporary, path);
  } catch (cause) {
    removeIfThere(temporary);
    const errno = errnoOf(cause);
    throw ioErrorFromErrno(errno, `The report “${printable(path, 200)}” cannot be written: ${errnoMessage(errno)}`, { cause });
  }
}

function writeNew(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
  try {
    writeFileSync(file, text);
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
