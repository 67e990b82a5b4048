import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { duplicateDescriptor } from "../duplicate-descriptor.js";
import { poll, watchDescriptor } from "../event-loop.js";

/** Sees to it that GDBus can tell of the end of a connection: see bus.ts. */
export interface ConnectionEnd {
  /** It is about to end. */
  expect(): void;
  /** It has ended. */
  forget(): void;
}

/** Milliseconds between looks for it, from when it is to be expected. */
const INTERVAL = 1;

/** Expects the end of this connection when its socket hangs up. */
export function watchEnd(connection: Gio.DBusConnection): ConnectionEnd {
  const stream = connection.get_stream();
  if (!(stream instanceof Gio.SocketConnection)) throw new TypeError("A bus is reached over a socket");
  // GDBus closes its own at a moment of its choice
  const descriptor = duplicateDescriptor(stream.get_socket().get_fd());
  const stopWatching = watchDescriptor(descriptor, GLib.IOCondition.HUP, () => expect());
  let isWatched = true;
  let stopLooking: (() => void) | null = null;
  const unwatch = (): void => {
    if (!isWatched) return;
    isWatched = false;
    stopWatching();
    GLib.close(descriptor);
  };
  const expect = (): void => {
    unwatch();
    stopLooking ??= poll(INTERVAL);
  };
  const forget = (): void => {
    unwatch();
    stopLooking?.();
  };
  return { expect, forget };
}
