import GLib from "gi://GLib?version=2.0";
import type { SystemDirectory } from "../plan/host-facts.js";

/*
 * Namesake of src/node/system-directory.ts: GLib can tell without gio-sandbox-calls.
 */

export function systemDirectory(path: string): SystemDirectory[] {
  if (GLib.file_test(path, GLib.FileTest.IS_SYMLINK)) return [{ path, linkTarget: GLib.file_read_link(path) }];
  return GLib.file_test(path, GLib.FileTest.EXISTS) ? [{ path, linkTarget: null }] : [];
}
