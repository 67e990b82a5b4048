import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";

/*
 * What of GIO and GLib is for Unix only: GioUnix and GLibUnix have it in newer versions, Gio and GLib in older ones, and
 * @girs 4.7 declares neither.
 */

/** A stream over a descriptor. */
interface StreamProperties {
  readonly fd: number;
  /** Whether the descriptor is the stream's. */
  readonly close_fd: boolean;
}

interface FDMessageClass {
  new_with_fd_list(list: Gio.UnixFDList): Gio.SocketControlMessage;
}

interface GioUnix {
  readonly InputStream: new (properties: StreamProperties) => Gio.InputStream;
  readonly OutputStream: new (properties: StreamProperties) => Gio.OutputStream;
  readonly FDMessage: FDMessageClass;
}

interface GLibUnix {
  fd_source_new(descriptor: number, condition: GLib.IOCondition): GLib.Source;
  set_fd_nonblocking(descriptor: number, nonblocking: boolean): boolean;
  signal_source_new(signal: number): GLib.Source;
}

/** Under their older names. */
interface OlderGio {
  readonly UnixInputStream: GioUnix["InputStream"];
  readonly UnixOutputStream: GioUnix["OutputStream"];
  readonly UnixFDMessage: GioUnix["FDMessage"];
}

interface OlderGLib {
  readonly unix_fd_source_new: GLibUnix["fd_source_new"];
  readonly unix_set_fd_nonblocking: GLibUnix["set_fd_nonblocking"];
  readonly unix_signal_source_new: GLibUnix["signal_source_new"];
}

/** GJS's older way to import, which can be told from a failure at once. */
interface LegacyImports {
  readonly gi: { readonly GioUnix: GioUnix; readonly GLibUnix: GLibUnix };
}

function fromGio(): GioUnix {
  try {
    return legacyImports().gi.GioUnix;
  } catch {
    const gio = Gio as unknown as OlderGio;
    return { InputStream: gio.UnixInputStream, OutputStream: gio.UnixOutputStream, FDMessage: gio.UnixFDMessage };
  }
}

function fromGLib(): GLibUnix {
  const glib = GLib as unknown as OlderGLib;
  try {
    return legacyImports().gi.GLibUnix;
  } catch {
    return {
      fd_source_new: (descriptor, condition) => glib.unix_fd_source_new(descriptor, condition),
      set_fd_nonblocking: (descriptor, nonblocking) => glib.unix_set_fd_nonblocking(descriptor, nonblocking),
      signal_source_new: (signal) => glib.unix_signal_source_new(signal),
    };
  }
}

function legacyImports(): LegacyImports {
  return (globalThis as unknown as { readonly imports: LegacyImports }).imports;
}

const gio = fromGio();
const glib = fromGLib();

export const UnixInputStream = gio.InputStream;
export const UnixOutputStream = gio.OutputStream;

/**
 * A message with these descriptors, which stay the list's, for `socket.send_message(null, [], [message], flags, null)`: that
 * sends a single NUL byte with them. The vectors must be an empty array: GJS takes no null for it, and no vector with bytes
 * in it. At most SCM_MAX_FD, 253, go at once; the kernel refuses more as INVALID_ARGUMENT.
 */
export function fdMessage(list: Gio.UnixFDList): Gio.SocketControlMessage {
  return gio.FDMessage.new_with_fd_list(list);
}

/** A source for a descriptor, which must stay open as long. */
export function descriptorSource(descriptor: number, condition: GLib.IOCondition): GLib.Source {
  return glib.fd_source_new(descriptor, condition);
}

export function setNonblocking(descriptor: number): void {
  glib.set_fd_nonblocking(descriptor, true);
}

/** A source for a signal that this process gets: one of those that g_unix_signal_source_new() takes. */
export function signalSource(signal: number): GLib.Source {
  return glib.signal_source_new(signal);
}
