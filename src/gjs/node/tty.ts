import GLib from "gi://GLib?version=2.0";

/* Stands for node:tty. */

/** Whether this descriptor is a terminal's: one that proc(5) shows as such. */
export function isatty(descriptor: number): boolean {
  try {
    return /^\/dev\/(pts\/|tty|console)/.test(GLib.file_read_link(`/proc/self/fd/${descriptor}`));
  } catch {
    return false;
  }
}
