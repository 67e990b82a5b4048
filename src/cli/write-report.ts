import type { SandboxReport } from "../plan/sandbox-report.js";
import { errnoMessage } from "../subprocess/errno.js";
import { ioErrorFromErrno } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { UsageError } from "./run-options.js";
import type { Shell } from "./shell.js";

/**
 * Writes a report, whole or not at all: to a new file beside the one that is meant, which then takes its name. So a link
 * that somebody has put there is replaced, and not followed.
 *
 * @throws GLibError `g-io-error-quark` for a file that cannot be written
 * @throws UsageError for what is there and is no file
 */
export function writeReport(path: string, report: SandboxReport, shell: Shell): void {
  if (shell.fileKind(path) === "other") {
    throw new UsageError(`--report needs a file, but “${printable(path, 200)}” is something else`);
  }
  const errno = shell.replaceFile(path, `${JSON.stringify(report, null, 2)}\n`);
  if (errno !== null) {
    throw ioErrorFromErrno(errno, `The report “${printable(path, 200)}” cannot be written: ${errnoMessage(errno)}`);
  }
}
