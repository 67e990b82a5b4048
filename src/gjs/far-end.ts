import Gio from "gi://Gio?version=2.0";
import { duplicateDescriptor } from "./duplicate-descriptor.js";

/*
 * Namesake of src/node/far-end.ts, over a Gio.Socket.
 */

/** The far end of a control socket, kept until the sandbox has spoken. */
export class FarEnd {
  readonly #socket: Gio.Socket;

  constructor(control: number) {
    this.#socket = Gio.Socket.new_from_fd(duplicateDescriptor(control));
  }

  release(): void {
    this.#socket.close();
  }

  shutDown(): void {
    if (this.#socket.is_closed()) return;
    this.#socket.shutdown(false, true);
    this.#socket.close();
  }
}
