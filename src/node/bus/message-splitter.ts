import { Buffer } from "node:buffer";
import { ioError } from "../../subprocess/glib-error.js";

/** Bounds of the D-Bus specification, "Valid Object Paths" and "Message Format". */
export const MAX_MESSAGE = 128 * 1024 * 1024;
const MAX_HEADER_FIELDS = 64 * 1024 * 1024;

/** Byte order, type, flags, version, length of the body, serial, length of the header fields. */
export const FIXED_HEADER = 16;

/** Cuts the bytes that a bus sends into messages. */
export class MessageSplitter {
  #chunks: Buffer[] = [];
  #available = 0;
  #wanted = FIXED_HEADER;
  #knowsLength = false;

  /**
   * The messages that `chunk` completes, each as all of its bytes.
   *
   * @throws GLibError g-io-error INVALID_DATA: that is not D-Bus, or longer than D-Bus allows
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#available += chunk.length;
    const messages: Buffer[] = [];
    while (this.#available >= this.#wanted) {
      if (!this.#knowsLength) {
        this.#wanted = messageLength(this.#joined());
        this.#knowsLength = true;
        continue;
      }
      const joined = this.#joined();
      messages.push(joined.subarray(0, this.#wanted));
      this.#chunks = [joined.subarray(this.#wanted)];
      this.#available -= this.#wanted;
      this.#wanted = FIXED_HEADER;
      this.#knowsLength = false;
    }
    return messages;
  }

  /** Joined only when a header or a message is complete, so that a long message is copied twice at most. */
  #joined(): Buffer {
    const joined = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    if (joined !== undefined) return joined;
    const copy = Buffer.concat(this.#chunks, this.#available);
    this.#chunks = [copy];
    return copy;
  }
}

function messageLength(header: Buffer): number {
  const order = String.fromCharCode(header.readUInt8(0));
  if ((order !== "l" && order !== "B") || header.readUInt8(3) !== 1) {
    throw ioError("INVALID_DATA", "The bus sent what is not a D-Bus message");
  }
  const body = order === "l" ? header.readUInt32LE(4) : header.readUInt32BE(4);
  const fields = order === "l" ? header.readUInt32LE(12) : header.readUInt32BE(12);
  const length = FIXED_HEADER + Math.ceil(fields / 8) * 8 + body;
  if (fields > MAX_HEADER_FIELDS || length > MAX_MESSAGE) {
    throw ioError("INVALID_DATA", `The bus sent a message of ${length} bytes: more than D-Bus allows`);
  }
  return length;
}
