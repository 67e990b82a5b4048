import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { encodeSignal } from "../init/encode.js";
import type { InitEvent } from "../init/decode.js";
import { FrameReader } from "../init/decode.js";
import type { SignalScope } from "../init/protocol.js";
import { ErrorDomain, GLibError, IOErrorEnum } from "../subprocess/glib-error.js";
import type { ControlSocket } from "./control-socket.js";
import { DescriptorStream } from "./descriptor-stream.js";

/** Who hears what init says. */
export interface ControlListener {
  onEvent(event: InitEvent): void;
  /** Init says nothing any more: null at the end of the socket, else what was wrong with what it said. */
  onEnd(error: Error | null): void;
}

/** The control socket of one sandbox. */
export class Control {
  readonly #socket: Socket;
  readonly #outgoing: DescriptorStream;
  readonly #reader = new FrameReader();
  readonly #listener: ControlListener;
  #error: Error | null = null;

  /** @param socket our end, which is taken over */
  constructor({ stream, passing }: ControlSocket, listener: ControlListener) {
    this.#listener = listener;
    this.#socket = stream;
    this.#outgoing = new DescriptorStream(stream, passing);
    this.#socket.on("data", (chunk) => this.#read(chunk));
    // an init that is gone shows as the end; what could not be written to it does not matter then
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => this.#listener.onEnd(this.#error));
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

  signal(process: number, signal: number, scope: SignalScope): void {
    this.write(encodeSignal(process, signal, scope));
  }

  /** Ends the sandbox: init kills everything in it when its socket ends. */
  close(): void {
    this.#socket.destroy();
  }

  /** Lets the program end although the sandbox has not. */
  unref(): void {
    // one that is gone would wait to be connected, to be told so then
    if (!this.#socket.destroyed) this.#socket.unref();
  }

  /** Undoes `unref()`. */
  ref(): void {
    if (!this.#socket.destroyed) this.#socket.ref();
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk);
      for (let event = this.#reader.next(); event !== null; event = this.#reader.next()) this.#listener.onEvent(event);
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#socket.destroy();
    }
  }
}

/** SCM_MAX_FD: descriptors in one message. */
const MOST_AT_ONCE = 253;

function isHangUp(error: unknown): boolean {
  return error instanceof GLibError && error.matches(ErrorDomain.IO, IOErrorEnum.BROKEN_PIPE);
}
