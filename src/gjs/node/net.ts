import GLib from "gi://GLib?version=2.0";
import { watchDescriptor } from "../event-loop.js";
import { UnixInputStream } from "../unix.js";
import { EventEmitter } from "./events.js";
import { closeSync } from "./fs.js";

/* Stands for node:net: the end of a pipe to read from, which is all that is asked for. */

interface SocketOptions {
  /** Taken over. */
  readonly fd: number;
}

const CHUNK = 4096;

/** Events: `data`, with bytes; `close`, when there are no more, or `destroy()` was called. */
export class Socket extends EventEmitter {
  readonly #descriptor: number;
  readonly #stop: () => void;
  #isDestroyed = false;

  constructor({ fd }: SocketOptions) {
    super();
    this.#descriptor = fd;
    const stream = new UnixInputStream({ fd, close_fd: false });
    this.#stop = watchDescriptor(fd, GLib.IOCondition.IN | GLib.IOCondition.HUP, () => {
      const bytes = stream.read_bytes(CHUNK, null).toArray();
      if (bytes.length > 0) this.emit("data", bytes);
      else this.destroy();
    });
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#stop();
    closeSync(this.#descriptor);
    void Promise.resolve().then(() => this.emit("close"));
  }

  ref(): void {
    // a main loop is what keeps a program of GJS's alive
  }

  unref(): void {
    // nor here
  }
}
