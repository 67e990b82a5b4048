import type { Buffer } from "node:buffer";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import type { GLibError } from "../../subprocess/glib-error.js";
import { ioError, ioErrorFromErrno, sandboxError } from "../../subprocess/glib-error.js";
import type { OutgoingMessage } from "./message-writer.js";
import type { BusSocket, DescriptorPassing } from "./socket.js";
import { SystemCallFailure, systemCalls } from "../system-calls.js";

/** What a message bus lets through at once: `max_message_unix_fds` of dbus-daemon. With more it hangs up. */
export const MAX_DESCRIPTORS = 16;

interface Waiting {
  bytes: Buffer;
  /** Duplicates, ours to close. */
  readonly descriptors: readonly number[];
}

/**
 * The way out of a connection. Messages go in order; the descriptors of one go all at once, with its first byte or with
 * a later one, as it comes.
 */
export class Outgoing {
  readonly #stream: Socket;
  readonly #passing: DescriptorPassing | null;
  readonly #queue: Waiting[] = [];
  #closed = false;

  /** @param passesDescriptors whether the server agreed to take descriptors */
  constructor(socket: BusSocket, passesDescriptors: boolean) {
    this.#stream = socket.stream;
    this.#passing = passesDescriptors ? socket.passing : null;
    this.#stream.once("close", () => this.#close());
  }

  /**
   * Sends a message, at once or when there is room. Its descriptors stay the caller's, who may close them as soon as
   * this has returned.
   *
   * @throws GLibError before anything is sent: gio-sandbox-error LIMIT_EXCEEDED, more than `MAX_DESCRIPTORS`;
   *   NOT_AVAILABLE, descriptors cannot be sent; g-io-error INVALID_ARGUMENT, a descriptor is not open; CLOSED
   */
  send(message: OutgoingMessage): void {
    if (this.#closed) throw ioError("CLOSED", "The connection to the bus is closed");
    const { bytes, descriptors } = message;
    if (descriptors.length === 0) {
      this.#enqueue({ bytes, descriptors });
      return;
    }
    const passing = this.#passingOf(descriptors);
    const sent = this.#queue.length === 0 && this.#stream.writableLength === 0
      ? passDescriptors(passing, bytes, descriptors)
      : null;
    if (sent === null) this.#enqueue({ bytes, descriptors: duplicated(passing, descriptors) });
    else this.#writeRest(bytes.subarray(sent));
  }

  #passingOf(descriptors: readonly number[]): DescriptorPassing {
    if (descriptors.length > MAX_DESCRIPTORS) {
      const message = `A message on a bus carries at most ${MAX_DESCRIPTORS} descriptors, not ${descriptors.length}`;
      throw sandboxError("LIMIT_EXCEEDED", message);
    }
    if (this.#passing === null) throw cannotPass();
    for (const descriptor of descriptors) {
      if (!this.#passing.calls.isOpen(descriptor)) {
        throw ioError("INVALID_ARGUMENT", `The descriptor ${descriptor} is not open`);
      }
    }
    return this.#passing;
  }

  #enqueue(message: Waiting): void {
    this.#queue.push(message);
    this.#advance();
  }

  readonly #advance = (): void => {
    for (;;) {
      const [head] = this.#queue;
      if (head === undefined || this.#closed) return;
      if (head.descriptors.length > 0) {
        // what the stream holds goes first: it calls us again when that has left
        if (this.#passing === null || this.#stream.writableLength > 0) return;
        if (!this.#passHead(this.#passing, head)) return;
      } else {
        this.#queue.shift();
        this.#stream.write(head.bytes, this.#advance);
      }
    }
  };

  #passHead(passing: DescriptorPassing, head: Waiting): boolean {
    let sent: number | null;
    try {
      sent = passDescriptors(passing, head.bytes, head.descriptors);
    } catch (error) {
      this.#stream.destroy(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
    if (sent === null) {
      this.#waitForRoom(head);
      return false;
    }
    this.#queue.shift();
    closeAll(head.descriptors);
    this.#writeRest(head.bytes.subarray(sent));
    return true;
  }

  /** The stream waits for room with the message's first byte; its descriptors then go with a later one. */
  #waitForRoom(head: Waiting): void {
    if (head.bytes.length > 1) {
      const first = head.bytes.subarray(0, 1);
      head.bytes = head.bytes.subarray(1);
      this.#stream.write(first, this.#advance);
    } else {
      setTimeout(this.#advance, RETRY_INTERVAL);
    }
  }

  #writeRest(bytes: Buffer): void {
    if (bytes.length > 0) this.#stream.write(bytes, this.#advance);
  }

  #close(): void {
    this.#closed = true;
    for (const { descriptors } of this.#queue.splice(0)) closeAll(descriptors);
  }
}

const RETRY_INTERVAL = 5;

function cannotPass(): GLibError {
  const calls = systemCalls();
  return "missing" in calls
    ? sandboxError("NOT_AVAILABLE", `Descriptors cannot be sent over D-Bus: ${calls.missing}`, { cause: calls.cause })
    : sandboxError("NOT_AVAILABLE", "Descriptors cannot be sent over D-Bus: the bus does not take them");
}

function passDescriptors(passing: DescriptorPassing, bytes: Buffer, descriptors: readonly number[]): number | null {
  try {
    return passing.calls.send(passing.socket, bytes, descriptors);
  } catch (error) {
    throw sendError(error);
  }
}

function duplicated(passing: DescriptorPassing, descriptors: readonly number[]): number[] {
  const duplicates: number[] = [];
  try {
    for (const descriptor of descriptors) duplicates.push(passing.calls.duplicate(descriptor));
    return duplicates;
  } catch (error) {
    closeAll(duplicates);
    throw sendError(error);
  }
}

function sendError(cause: unknown): unknown {
  if (!(cause instanceof SystemCallFailure)) return cause;
  return ioErrorFromErrno(cause.errno, `Descriptors could not be sent over D-Bus: ${cause.message}`, { cause });
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
