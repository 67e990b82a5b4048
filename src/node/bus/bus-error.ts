import { ErrorDomain, GLibError, IOErrorEnum } from "../../subprocess/glib-error.js";
import { printable } from "../../subprocess/printable.js";

/**
 * The error that a peer on a bus answered with: g-io-error DBUS_ERROR, its message in the form of
 * `g_dbus_error_encode_gerror()`'s counterpart in GIO, "GDBus.Error:NAME: TEXT".
 */
export class BusError extends GLibError {
  /** The name of the error on the bus, such as `org.freedesktop.DBus.Error.ServiceUnknown`. */
  readonly remoteName: string;
  /** What the peer said, control characters escaped. */
  readonly remoteMessage: string;

  constructor(remoteName: string, text: string) {
    const remoteMessage = printable(text);
    super(ErrorDomain.IO, IOErrorEnum.DBUS_ERROR, `GDBus.Error:${remoteName}: ${remoteMessage}`);
    this.remoteName = remoteName;
    this.remoteMessage = remoteMessage;
  }
}
