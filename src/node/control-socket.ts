import { Socket } from "node:net";
import type { Carrier, StartCarrier, StartedCarrier } from "./carrier.js";
import { DescriptorScope, requiredSystemCalls } from "./descriptor-scope.js";
import { FrameWriter } from "./frame-writer.js";
import { callsAtHand } from "./system-calls.js";

/** The launcher's end of an init's control socket. */
export interface ControlSocket {
  readonly stream: Socket;
  readonly writer: FrameWriter;
}

/** @param descriptor the end of a socket, which is taken over */
export function controlSocket(descriptor: number): ControlSocket {
  const stream = new Socket({ fd: descriptor, readable: true, writable: true });
  return { stream, writer: new FrameWriter(stream, { calls: requiredSystemCalls(), socket: descriptor }) };
}

/** Over a socket that no descriptors can be sent over. */
export function plainControlSocket(stream: Socket): ControlSocket {
  return { stream, writer: new FrameWriter(stream, null) };
}

/** How a carrier that starts a helper program comes to the control socket: init's end of it, or who takes the launcher's. */
export type ControlEnd = number | ((ours: Socket) => void);

/**
 * Starts a carrier whose helper program brings init's end of the control socket. Without koffi Node makes the socket while it
 * starts the program, and no descriptors can be sent over it.
 */
export function overHelper(start: (control: ControlEnd) => Carrier): StartCarrier {
  const overPair = overSocketPair(start);
  return () => (callsAtHand() === null ? overOwnSocket(start) : overPair());
}

function overOwnSocket(start: (control: ControlEnd) => Carrier): StartedCarrier {
  const sockets: Socket[] = [];
  const carrier = start((ours) => sockets.push(ours));
  const [stream] = sockets;
  if (stream === undefined) throw new TypeError("The helper program has no control socket");
  return { carrier, control: plainControlSocket(stream) };
}

/**
 * Starts a carrier that is given its end of the control socket.
 *
 * @param start gets the far end of init's control socket, which stays the caller's
 */
export function overSocketPair(start: (control: number) => Carrier): StartCarrier {
  return () => {
    using scope = new DescriptorScope();
    const [ours, theirs] = scope.socketPair();
    const carrier = start(theirs);
    return { carrier, control: controlSocket(scope.release(ours)) };
  };
}
