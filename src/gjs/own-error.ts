import GLib from "gi://GLib?version=2.0";
import { GLibError } from "../subprocess/glib-error.js";

/** GLib's error, in the form that the code of both shells has for it. Anything else stays what it is. */
export function ownError(error: unknown): Error {
  if (error instanceof GLib.Error) {
    const { domain, code, message } = error;
    return new GLibError(GLib.quark_to_string(domain), code, message, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}
