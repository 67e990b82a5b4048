import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import type { InitEvent } from "../init/decode.js";
import { FrameReader } from "../init/decode.js";
import { encodeSignal } from "../init/encode.js";
import type { SignalScope } from "../init/protocol.js";
import type { ControlSocket } from "./control-socket.js";
import { watchDescriptor } from "./event-loop.js";
import type { FrameWriter } from "./frame-writer.js";
import { isGioError } from "./gio-error.js";
import { UnixInputStream } from "./unix.js";

/*
 * Namesake of src/node/control.ts.
 */

/** Who hears what init says. */
export interface ControlListener {
  onEvent(event: InitEvent): void;
  /** Init says nothing any more: null at the end of the socket, else what was wrong with what it said. */
  onEnd(error: Error | null): void;
}

/** The control socket of one sandbox. */
export class Control {
  readonly #socket: Gio.Socket;
  readonly #input: Gio.InputStream;
  readonly #reader = new FrameReader();
  readonly #listener: ControlListener;
  readonly #writer: FrameWriter;
  readonly #stopReading: () => void;
  #error: Error | null = null;
  #isClosed = false;

  /** @param socket our end, which is taken over */
  constructor({ socket, writer }: ControlSocket, listener: ControlListener) {
    this.#socket = socket;
    this.#writer = writer;
    this.#listener = listener;
    this.#input = new UnixInputStream({ fd: socket.get_fd(), close_fd: false });
    this.#stopReading = watchDescriptor(socket.get_fd(), GLib.IOCondition.IN | GLib.IOCondition.HUP, () => this.#read());
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
    this.#end();
  }

  /** A main loop is what keeps a program of GJS's alive. */
  unref(): void {
    // nothing else does
  }

  /** Undoes `unref()`. */
  ref(): void {
    // nor here
  }

  #read(): void {
    try {
      const chunk = this.#input.read_bytes(CHUNK, null).toArray();
      if (chunk.length === 0) {
        this.#end();
        return;
      }
      this.#reader.push(chunk);
      for (let event = this.#reader.next(); event !== null; event = this.#reader.next()) this.#listener.onEvent(event);
    } catch (error) {
      if (isGioError(error, Gio.IOErrorEnum.WOULD_BLOCK)) return;
      // what is not GIO's is of the reader
      if (error instanceof Error && !(error instanceof GLib.Error)) this.#error = error;
      this.#end();
    }
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopReading();
    this.#writer.close();
    this.#socket.close();
    // never from within what the caller does
    void Promise.resolve().then(() => this.#listener.onEnd(this.#error));
  }
}

/** Bytes that are read at once: a frame of init's is at most a hundred. */
const CHUNK = 1024;
