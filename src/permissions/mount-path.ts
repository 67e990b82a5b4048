import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";

/** Where the sandbox has its own file systems: nothing of the host can take their place. */
const reserved = ["/proc", "/sys", "/dev"];

/**
 * A path of which something of the host can be seen in the sandbox, without `.` and doubled or trailing slashes.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function mountPath(path: string): string {
  const shown = printable(path, 200);
  if (!path.startsWith("/")) throw invalid(`Expected an absolute path as a file system, but got “${shown}”`);
  checkText(path, `The path “${shown}”`);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw invalid(`The path “${shown}” contains “..”: write where it leads`);
  const normal = `/${parts.join("/")}`;
  if (normal === "/") throw invalid("The root of the file system cannot be granted: grant the directories in it");
  const taken = reserved.find((directory) => normal === directory || normal.startsWith(`${directory}/`));
  if (taken !== undefined) throw invalid(`“${shown}” cannot be granted: the sandbox has a ${taken} of its own`);
  return normal;
}

/**
 * What becomes a C string in UTF-8 has no NUL and no half of a surrogate pair.
 *
 * @param what it is, for the message
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function checkText(text: string, what: string): void {
  if (text.includes("\0")) throw invalid(`${what} contains a NUL`);
  if (/\p{Cs}/u.test(text)) throw invalid(`${what} contains a surrogate without its other half`);
}

function invalid(message: string): Error {
  return sandboxError("INVALID_PERMISSION", message);
}
