import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";

/**
 * Two stream sockets that are connected to each other, made without socketpair(2): over a listener with a random name,
 * where nobody but this process gets in.
 *
 * @throws GLib.Error
 */
export function connectedSockets(): readonly [Gio.Socket, Gio.Socket] {
  const listener = streamSocket();
  try {
    listener.bind(randomAddress(), false);
    listener.listen();
    const client = streamSocket();
    client.connect(listener.get_local_address(), null);
    return [client, acceptOwn(listener)];
  } finally {
    listener.close();
  }
}

function streamSocket(): Gio.Socket {
  return Gio.Socket.new(Gio.SocketFamily.UNIX, Gio.SocketType.STREAM, Gio.SocketProtocol.DEFAULT);
}

function randomAddress(): Gio.SocketAddress {
  const name = Array.from(new TextEncoder().encode(`gio-sandbox-${GLib.uuid_string_random()}`));
  return Gio.UnixSocketAddress.new_with_type(name, Gio.UnixSocketAddressType.ABSTRACT);
}

/** Names of abstract sockets are for everybody to see in /proc/net/unix: others are turned away. */
function acceptOwn(listener: Gio.Socket): Gio.Socket {
  for (;;) {
    const socket = listener.accept(null);
    if (socket.get_credentials().get_unix_pid() === ownPid()) return socket;
    socket.close();
  }
}

export function ownPid(): number {
  return (pid ??= new Gio.Credentials().get_unix_pid());
}

let pid: number | null = null;
