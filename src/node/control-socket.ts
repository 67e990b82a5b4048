import { Socket } from "node:net";
import type { Carrier, StartCarrier } from "./carrier.js";
import { DescriptorScope, requiredSystemCalls } from "./descriptor-scope.js";
import type { DescriptorPassing } from "./descriptor-stream.js";

/** The launcher's end of an init's control socket. */
export interface ControlSocket {
  readonly stream: Socket;
  /** What sends descriptors over it; null: none can be sent. */
  readonly passing: DescriptorPassing | null;
}

/** @param descriptor the end of a socket, which is taken over */
export function controlSocket(descriptor: number): ControlSocket {
  const stream = new Socket({ fd: descriptor, readable: true, writable: true });
  return { stream, passing: { calls: requiredSystemCalls(), socket: descriptor } };
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
