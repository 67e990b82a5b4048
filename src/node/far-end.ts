import { Socket } from "node:net";
import { requiredSystemCalls } from "./descriptor-scope.js";

/**
 * The far end of init's control socket, kept until init has spoken: a portal that never starts anything may keep it too,
 * and only a shutdown ends the conversation then.
 */
export class FarEnd {
  readonly #socket: Socket;

  constructor(control: number) {
    this.#socket = new Socket({ fd: requiredSystemCalls().duplicate(control), readable: false, writable: true });
    this.#socket.on("error", () => undefined);
    this.#socket.unref();
  }

  release(): void {
    this.#socket.destroy();
  }

  shutDown(): void {
    if (!this.#socket.destroyed) this.#socket.end(() => this.#socket.destroy());
  }
}
