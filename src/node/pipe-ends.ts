import { Socket } from "node:net";

/** The parent's end of a pipe to a child: `destroy()` closes it. */
export type PipeEnd = Socket;

/** A stream to write to the child's standard input. It owns the descriptor. */
export function writingEnd(descriptor: number): Socket {
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  // A child that closes its input is no reason to end the program: each write has its own callback for that.
  return socket.on("error", () => undefined);
}

/** A stream to read the child's output from. It owns the descriptor. */
export function readingEnd(descriptor: number): Socket {
  return new Socket({ fd: descriptor, readable: true, writable: false });
}
