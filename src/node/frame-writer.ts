import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { ErrorDomain, GLibError, IOErrorEnum } from "../subprocess/glib-error.js";
import type { DescriptorPassing } from "./descriptor-stream.js";
import { DescriptorStream } from "./descriptor-stream.js";

/** The way to an init, over its control socket. */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #outgoing: DescriptorStream;

  /** @param passing what sends descriptors; null: none can be sent */
  constructor(socket: Socket, passing: DescriptorPassing | null) {
    this.#socket = socket;
    this.#outgoing = new DescriptorStream(socket, passing);
  }

  /**
   * Sends whole frames, the first of which may be a LAUNCH that names `descriptors` as received ones. They stay the
   * caller's, who may close them as soon as this has returned. An init that is gone is no error: it shows as the end.
   */
  write(frames: Uint8Array, descriptors: readonly number[] = []): void {
    if (!this.#socket.writable) return;
    let rest = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength);
    let unsent = descriptors;
    try {
      // each message needs a byte of the frame to go with
      for (; unsent.length > MOST_AT_ONCE; unsent = unsent.slice(MOST_AT_ONCE)) {
        this.#outgoing.send(rest.subarray(0, 1), unsent.slice(0, MOST_AT_ONCE));
        rest = rest.subarray(1);
      }
      this.#outgoing.send(rest, unsent);
    } catch (error) {
      if (!isHangUp(error)) throw error;
    }
  }
}

/** SCM_MAX_FD: descriptors in one message. */
const MOST_AT_ONCE = 253;

function isHangUp(error: unknown): boolean {
  return error instanceof GLibError && error.matches(ErrorDomain.IO, IOErrorEnum.BROKEN_PIPE);
}
