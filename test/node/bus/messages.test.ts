import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dbusNextParts } from "../../../src/node/bus/dbus-next-parts.js";
import { MessageReader, UNREADABLE_REPLY } from "../../../src/node/bus/message-reader.js";
import { MessageSplitter } from "../../../src/node/bus/message-splitter.js";
import { writeMessage } from "../../../src/node/bus/message-writer.js";
import { GLibError } from "../../../src/subprocess/glib-error.js";

const parts = dbusNextParts();

function reply(serial: number, text: string): Buffer {
  return writeMessage(parts, { type: 2, serial, replySerial: 77, signature: "s", body: [text] }).bytes;
}

function broken(bytes: Buffer, byteOfBody: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(value, copy.length - copy.readUInt32LE(4) + byteOfBody);
  return copy;
}

/** What the splitter makes of it: nothing, if it refuses it. */
function framed(bytes: Buffer): Buffer[] {
  try {
    return new MessageSplitter().push(bytes);
  } catch {
    return [];
  }
}

describe("the bytes that a bus sends", () => {
  it("are cut into messages wherever the chunks end", () => {
    const bytes = Buffer.concat([reply(1, "one"), reply(2, ""), reply(3, "x".repeat(1000))]);
    for (const size of [1, 3, 15, 16, 17, 100, bytes.length]) {
      const splitter = new MessageSplitter();
      const reader = new MessageReader(parts);
      const texts: unknown[] = [];
      for (let start = 0; start < bytes.length; start += size) {
        for (const message of splitter.push(bytes.subarray(start, start + size))) {
          texts.push(reader.read(message)?.body[0]);
        }
      }
      assert.deepEqual(texts, ["one", "", "x".repeat(1000)], `in chunks of ${size}`);
    }
  });

  it("are refused when they are no message, or a longer one than D-Bus allows", () => {
    const header = (...words: number[]): Buffer => {
      const bytes = Buffer.from([0x6c, 2, 0, 1, ...Array.from({ length: 12 }, () => 0)]);
      words.forEach((word, index) => bytes.writeUInt32LE(word, 4 + 4 * index));
      return bytes;
    };
    const isInvalid = (error: unknown): boolean => error instanceof GLibError && error.code === 35;
    assert.throws(() => new MessageSplitter().push(Buffer.from("HTTP/1.1 400 Bad Request")), isInvalid);
    assert.throws(() => new MessageSplitter().push(header(0xffffffff, 1, 0)), isInvalid);
    assert.throws(() => new MessageSplitter().push(header(0, 1, 0xfffffff8)), isInvalid);
    assert.throws(() => new MessageSplitter().push(header(128 * 1024 * 1024, 1, 0)), isInvalid);
    assert.deepEqual(new MessageSplitter().push(header(64 * 1024 * 1024, 1, 8)), []);
  });
});

describe("a message that cannot be read", () => {
  const variantReply = writeMessage(parts, {
    type: 2,
    serial: 1,
    replySerial: 77,
    signature: "v",
    body: [{ signature: "u", value: 5 }],
  }).bytes;

  it("fails the call that it replies to, and the next is read", () => {
    const reader = new MessageReader(parts);
    const unreadable = reader.read(broken(variantReply, 1, "@".charCodeAt(0)));
    assert.equal(unreadable?.errorName, UNREADABLE_REPLY);
    assert.equal(unreadable.replySerial, 77);
    assert.deepEqual(reader.read(variantReply)?.body.length, 1);
  });

  it("of an unknown type is dropped", () => {
    const bytes = Buffer.from(writeMessage(parts, { type: 4, serial: 1, path: "/", interface: "a.b", member: "C" }).bytes);
    bytes.writeUInt8(9, 1);
    assert.equal(new MessageReader(parts).read(bytes), null);
  });

  it("does no harm however it is broken", () => {
    const reader = new MessageReader(parts);
    for (let index = 0; index < variantReply.length; index += 1) {
      for (const value of [0, 1, 0x28, 0x61, 0x7f, 0xff]) {
        const bytes = Buffer.from(variantReply);
        bytes.writeUInt8(value, index);
        for (const message of framed(bytes)) assert.doesNotThrow(() => reader.read(message), `${index}: ${value}`);
      }
    }
    assert.deepEqual(reader.read(reply(1, "fine"))?.body, ["fine"]);
  });
});
