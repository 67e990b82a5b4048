import Gio from "gi://Gio?version=2.0";
import type { Carrier } from "../node/carrier.js";
import { DescriptorScope } from "../node/descriptor-scope.js";
import { FrameWriter } from "./frame-writer.js";

/*
 * Namesake of src/node/control-socket.ts: the launcher's end of an init's control socket is a Gio.Socket.
 */

export interface ControlSocket {
  /** Does not block. */
  readonly socket: Gio.Socket;
  readonly writer: FrameWriter;
}

/** @param descriptor the end of a socket, which is taken over */
export function controlSocket(descriptor: number): ControlSocket {
  const socket = Gio.Socket.new_from_fd(descriptor);
  socket.set_blocking(false);
  return { socket, writer: new FrameWriter(socket) };
}

/**
 * Starts a carrier that is given its end of the control socket.
 *
 * @param start gets the far end of init's control socket, which stays the caller's
 */
export function overSocketPair(start: (control: number) => Carrier): () => { carrier: Carrier; control: ControlSocket } {
  return () => {
    using scope = new DescriptorScope();
    const [ours, theirs] = scope.socketPair();
    const carrier = start(theirs);
    return { carrier, control: controlSocket(scope.release(ours)) };
  };
}

/** As of src/node: GJS always has a pair of sockets. */
export const overHelper = overSocketPair;
