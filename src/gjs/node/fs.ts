/*
 * What is used of node:fs. What GLib can do is done by GLib; what it cannot, or what it would hide the error number of, is
 * done by gio-sandbox-calls. Paths are strings. Errors have `code`, `errno`, `syscall` and `path` as Node's have; all
 * functions but those that GLib alone does throw a GLibError NOT_AVAILABLE if gio-sandbox-calls cannot be started.
 */
export { constants } from "../fs/constants.js";
export { closeSync, open, openSync } from "../fs/open.js";
export { readFileSync, readSync, writeFileSync, writeSync } from "../fs/read-and-write.js";
export { fstatSync, lstatSync, statSync } from "../fs/stats.js";
export { accessSync, existsSync, readlinkSync, realpathSync, renameSync, unlinkSync } from "../fs/paths.js";
export { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from "../fs/directories.js";
