import type { Socket } from "node:net";
import { encodeSignal } from "../init/encode.js";
import type { InitEvent } from "../init/decode.js";
import { FrameReader } from "../init/decode.js";
import type { SignalScope } from "../init/protocol.js";
import type { ControlSocket } from "./control-socket.js";
import type { FrameWriter } from "./frame-writer.js";

/** Who hears what init says. */
export interface ControlListener {
  onEvent(event: InitEvent): void;
  /** Init says nothing any more: null at the end of the socket, else what was wrong with what it said. */
  onEnd(error: Error | null): void;
}

/** The control socket of one sandbox. */
export class Control {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #reader = new FrameReader();
  readonly #listener: ControlListener;
  #error: Error | null = null;

  /** @param socket our end, which is taken over */
  constructor({ stream, writer }: ControlSocket, listener: ControlListener) {
    this.#listener = listener;
    this.#socket = stream;
    this.#writer = writer;
    this.#socket.on("data", (chunk) => this.#read(chunk));
    // an init that is gone shows as the end; what could not be written to it does not matter then
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => this.#listener.onEnd(this.#error));
  }

  /** As `FrameWriter.write()`. */
  write(frames: Uint8Array, descriptors: readonly number[] = []): void {
    this.#writer.write(frames, descriptors);
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
