import type { GLibError } from "../../subprocess/glib-error.js";
import { ioError, sandboxError } from "../../subprocess/glib-error.js";
import { DescriptorStream } from "../descriptor-stream.js";
import { systemCalls } from "../system-calls.js";
import type { OutgoingMessage } from "./message-writer.js";
import type { BusSocket } from "./socket.js";

/** What a message bus lets through at once: `max_message_unix_fds` of dbus-daemon. With more it hangs up. */
export const MAX_DESCRIPTORS = 16;

/** The way out of a connection to a bus. */
export class Outgoing {
  readonly #stream: DescriptorStream;
  readonly #passesDescriptors: boolean;
  #closed = false;

  /** @param passesDescriptors whether the server agreed to take descriptors */
  constructor({ stream, passing }: BusSocket, passesDescriptors: boolean) {
    this.#stream = new DescriptorStream(stream, passesDescriptors ? passing : null);
    this.#passesDescriptors = passesDescriptors && passing !== null;
    stream.once("close", () => (this.#closed = true));
  }

  /**
   * Sends a message, at once or when there is room. Its descriptors stay the caller's, who may close them as soon as
   * this has returned.
   *
   * @throws GLibError before anything is sent: gio-sandbox-error LIMIT_EXCEEDED, more than `MAX_DESCRIPTORS`;
   *   NOT_AVAILABLE, descriptors cannot be sent; g-io-error INVALID_ARGUMENT, a descriptor is not open; CLOSED
   */
  send({ bytes, descriptors }: OutgoingMessage): void {
    if (this.#closed) throw ioError("CLOSED", "The connection to the bus is closed");
    if (descriptors.length > MAX_DESCRIPTORS) {
      const message = `A message on a bus carries at most ${MAX_DESCRIPTORS} descriptors, not ${descriptors.length}`;
      throw sandboxError("LIMIT_EXCEEDED", message);
    }
    if (descriptors.length > 0 && !this.#passesDescriptors) throw cannotPass();
    this.#stream.send(bytes, descriptors);
  }
}

function cannotPass(): GLibError {
  const calls = systemCalls();
  return "missing" in calls
    ? sandboxError("NOT_AVAILABLE", `Descriptors cannot be sent over D-Bus: ${calls.missing}`, { cause: calls.cause })
    : sandboxError("NOT_AVAILABLE", "Descriptors cannot be sent over D-Bus: the bus does not take them");
}
