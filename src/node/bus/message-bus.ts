import { once } from "node:events";
import type { MessageBus } from "dbus-next";
import { cancelledError, ioError } from "../../subprocess/glib-error.js";
import { parseBusAddress } from "./address.js";
import type { ConnectOptions } from "./bus.js";
import { busAddress } from "./bus.js";
import { openConnection } from "./connection.js";
import { messageBusConstructor } from "./dbus-next-parts.js";

/**
 * dbus-next's MessageBus, for proxies and for services, over a connection of ours. A call that is open when the
 * connection ends is rejected with dbus-next's DBusError `org.freedesktop.DBus.Error.Disconnected`.
 *
 * @param where as for `connectToBus`, and so are the errors
 */
export async function connectMessageBus(where: string, options: ConnectOptions = {}): Promise<MessageBus> {
  const signal = options.signal ?? null;
  const connection = await openConnection(parseBusAddress(busAddress(where)), signal);
  try {
    const bus = new (messageBusConstructor())(connection);
    const ended = once(connection, "end").then(() => {
      throw ioError("CLOSED", "The bus closed the connection before it gave us a name");
    });
    await Promise.race([once(bus, "connect", signal === null ? {} : { signal }), ended]);
    return bus;
  } catch (error) {
    connection.end();
    throw signal?.aborted === true ? cancelledError() : error;
  }
}
