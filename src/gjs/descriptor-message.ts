import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";

/**
 * Sends a single NUL byte, and with it all the descriptors in one SCM_RIGHTS message. They stay open here.
 *
 * That byte is all that GJS can send with descriptors: it has no way to fill an output vector, and without vectors GLib
 * sends a NUL of its own. So a NUL of the stream is to be sent by this, and not again. What must be known of
 * `Gio.Socket.send_message(null, [], [message], flags, null)`, as tried with GJS 1.74 and GLib 2.74:
 * - it takes several descriptors in one message, at most SCM_MAX_FD, 253, and returns 1, the length of what was sent;
 * - the vectors must be an empty array: null is a type error;
 * - the message keeps duplicates of the descriptors until it is collected, so it is emptied here;
 * - a socket that is full is waited for, unless it is set not to block.
 *
 * @returns whether it was sent: false if the socket is full, and does not block
 * @throws GLib.Error g-io-error, BROKEN_PIPE if the other end is closed; without SIGPIPE
 */
export function sendDescriptors(socket: Gio.Socket, descriptors: readonly number[]): boolean {
  const list = Gio.UnixFDList.new();
  const message = newMessage(list);
  try {
    for (const descriptor of descriptors) list.append(descriptor);
    socket.send_message(null, [], [message], Gio.SocketMsgFlags.NONE, null);
    return true;
  } catch (error) {
    if (error instanceof Gio.IOErrorEnum && error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.WOULD_BLOCK)) return false;
    throw error;
  } finally {
    for (const duplicate of list.steal_fds()) GLib.close(duplicate);
  }
}

// @girs 4.7.0 does not have it
const { UnixFDMessage } = Gio as unknown as Readonly<Record<"UnixFDMessage", MessageClass>>;

interface MessageClass {
  new_with_fd_list(list: Gio.UnixFDList): Gio.SocketControlMessage;
}

function newMessage(list: Gio.UnixFDList): Gio.SocketControlMessage {
  return UnixFDMessage.new_with_fd_list(list);
}
