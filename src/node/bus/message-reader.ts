import { Buffer } from "node:buffer";
import type { BusMessage, BusMessageFields, ByteSource, DBusNextParts, WireMessage } from "./dbus-next-parts.js";
import { MessageType } from "./dbus-next-parts.js";
import { FIXED_HEADER } from "./message-splitter.js";

/** The name of the error that a reply turns into which we cannot read. */
export const UNREADABLE_REPLY = "org.freedesktop.DBus.Error.InconsistentMessage";

/**
 * Reads messages one by one. Each is given as all its bytes, so a message that cannot be read, which any peer may send,
 * does no harm to those behind it.
 */
export class MessageReader {
  readonly #parts: DBusNextParts;
  readonly #source = new CompleteMessages();
  #parsed: WireMessage | null = null;

  constructor(parts: DBusNextParts) {
    this.#parts = parts;
    parts.unmarshalMessages(
      this.#source,
      (message) => {
        this.#parsed = message;
      },
      {},
    );
  }

  /**
   * The message with its body as plain values. An `h` in it is undefined: descriptors that are sent to us are not
   * taken. A reply that cannot be read becomes an ERROR called `UNREADABLE_REPLY`; anything else that cannot be read
   * becomes null, as the specification wants for unknown types of message.
   */
  read(bytes: Buffer): BusMessage | null {
    try {
      return new this.#parts.Message(this.#parts.messageToJsFmt(this.#parse(bytes)));
    } catch (cause) {
      return this.#unreadable(bytes, cause);
    }
  }

  #parse(bytes: Buffer): WireMessage {
    this.#parsed = null;
    this.#source.give(bytes);
    return this.#take();
  }

  #take(): WireMessage {
    if (this.#parsed === null) throw new Error("the message is not complete");
    return this.#parsed;
  }

  #unreadable(bytes: Buffer, cause: unknown): BusMessage | null {
    const replySerial = this.#headerOf(bytes)?.replySerial;
    if (replySerial === undefined) return null;
    const text = `The reply could not be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    return new this.#parts.Message({
      type: MessageType.ERROR,
      replySerial,
      errorName: UNREADABLE_REPLY,
      signature: "s",
      body: [text],
    });
  }

  #headerOf(bytes: Buffer): BusMessageFields | null {
    try {
      const bodyLength = bytes.readUInt8(0) === LITTLE_ENDIAN ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
      const header = Buffer.from(bytes.subarray(0, bytes.length - bodyLength));
      header.fill(0, 4, 8);
      return this.#parse(header);
    } catch {
      return null;
    }
  }
}

const LITTLE_ENDIAN = "l".charCodeAt(0);

/** Looks like a stream that has just received one message. */
class CompleteMessages implements ByteSource {
  #listener: () => void = () => undefined;
  #header: Buffer | null = null;
  #rest: Buffer | null = null;

  on(_event: "readable", listener: () => void): void {
    this.#listener = listener;
  }

  give(bytes: Buffer): void {
    this.#header = bytes.subarray(0, FIXED_HEADER);
    this.#rest = bytes.subarray(FIXED_HEADER);
    this.#listener();
  }

  /** The reader asks for the fixed header, then for the rest, then for the next header. */
  read(): ReturnType<ByteSource["read"]> {
    if (this.#header !== null) {
      const header = this.#header;
      this.#header = null;
      return header;
    }
    if (this.#rest === null) return null;
    const data = this.#rest;
    this.#rest = null;
    return { data, fds: anyIndex };
  }
}

/** Every index is in range, and nothing is there. */
const anyIndex: ArrayLike<number> = { length: 2 ** 32 };
