import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";

export function isGioError(error: unknown, code: number): boolean {
  return error instanceof GLib.Error && error.matches(Gio.IOErrorEnum, code);
}
