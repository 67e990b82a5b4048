import type { Buffer } from "node:buffer";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { ioError, ioErrorFromErrno } from "../subprocess/glib-error.js";
import type { SystemCalls } from "./system-calls.js";
import { SystemCallFailure } from "./system-calls.js";

/** What sends descriptors over a socket that is a stream of Node's. */
export interface DescriptorPassing {
  readonly calls: SystemCalls;
  /** The socket's own number, which belongs to the stream: gone once that is destroyed. */
  readonly socket: number;
}

interface Waiting {
  bytes: Buffer;
  /** Duplicates, ours to close. */
  readonly descriptors: readonly number[];
}

/**
 * The way out of a Unix socket. Messages go in order; the descriptors of one go all at once, with its first byte or with
 * a later one, as it comes.
 */
export class DescriptorStream {
  readonly #stream: Socket;
  readonly #passing: DescriptorPassing | null;
  readonly #queue: Waiting[] = [];
  #closed = false;

  /** @param passing null: no descriptors can be sent */
  constructor(stream: Socket, passing: DescriptorPassing | null) {
    this.#stream = stream;
    this.#passing = passing;
    this.#stream.once("close", () => this.#close());
  }

  /**
   * Sends a message, at once or when there is room. Its descriptors stay the caller's, who may close them as soon as
   * this has returned.
   *
   * @param descriptors at most SCM_MAX_FD, 253
   * @throws GLibError before anything is sent: g-io-error INVALID_ARGUMENT, a descriptor is not open; NOT_SUPPORTED,
   *   descriptors cannot be sent; CLOSED
   */
  send(bytes: Buffer, descriptors: readonly number[]): void {
    if (this.#closed) throw ioError("CLOSED", "The socket is closed");
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
    if (this.#passing === null) throw ioError("NOT_SUPPORTED", "Descriptors cannot be sent over this socket");
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
  return ioErrorFromErrno(cause.errno, `Descriptors could not be sent: ${cause.message}`, { cause });
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
