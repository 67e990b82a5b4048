import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";

/** Duplicates stay clear of the standard streams. */
const LOWEST_DUPLICATE = 3;

/**
 * A close-on-exec duplicate, the caller's to close.
 *
 * @throws GLib.Error as of fcntl(2)
 */
export function duplicateDescriptor(descriptor: number): number {
  const list = Gio.UnixFDList.new();
  list.append(descriptor);
  // what is stolen is not the list's any more
  const [duplicate = -1] = list.steal_fds();
  if (duplicate >= LOWEST_DUPLICATE) return duplicate;
  try {
    return duplicateDescriptor(descriptor);
  } finally {
    GLib.close(duplicate);
  }
}
