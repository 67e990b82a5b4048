import { ioError } from "./glib-error.js";

/**
 * A child's output as text, as `g_subprocess_communicate_utf8()` gives it: up to the first NUL.
 *
 * @param word the stream's name, for the message
 * @throws GLibError `g-io-error-quark` FAILED for what is no UTF-8 before the first NUL
 */
export function decodeOutput(bytes: Uint8Array, word: string): string {
  const nul = bytes.indexOf(0);
  const text = nul < 0 ? bytes : bytes.subarray(0, nul);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    throw ioError("FAILED", `Invalid UTF-8 in child ${word} at offset ${validLength(text)}`, { cause });
  }
}

/** Text for a child's input, up to the first NUL, as a C string has it. */
export function encodeInput(text: string): Uint8Array {
  const nul = text.indexOf("\0");
  return new TextEncoder().encode(nul < 0 ? text : text.slice(0, nul));
}

/** How many bytes at the beginning are whole, valid characters. */
function validLength(bytes: Uint8Array): number {
  let offset = 0;
  while (offset < bytes.length) {
    const length = characterLength(bytes, offset);
    if (length === 0) return offset;
    offset += length;
  }
  return offset;
}

/** The length of the valid character at `offset`, or 0 (RFC 3629, section 4). */
function characterLength(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (let index = 1; index < length; index++) {
    const [low, high] = index === 1 ? secondByteRange(first) : continuation;
    const byte = bytes[offset + index] ?? 0;
    if (byte < low || byte > high) return 0;
  }
  return length;
}

const continuation = [0x80, 0xbf] as const;

function secondByteRange(first: number): readonly [number, number] {
  switch (first) {
    case 0xe0:
      return [0xa0, 0xbf];
    case 0xed:
      return [0x80, 0x9f];
    case 0xf0:
      return [0x90, 0xbf];
    case 0xf4:
      return [0x80, 0x8f];
    default:
      return continuation;
  }
}
