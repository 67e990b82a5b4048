import type { XDisplay } from "./x-display.js";

/** One entry of an authority file (Xau(3), Xau.c of libXau): all strings are bytes. */
export interface XAuthorityEntry {
  readonly family: number;
  readonly address: Uint8Array;
  readonly number: Uint8Array;
  readonly name: Uint8Array;
  readonly data: Uint8Array;
}

/** X11/Xauth.h and X11/X.h. */
export const XFamily = { INTERNET: 0, INTERNET6: 6, LOCAL: 256, WILD: 65535 } as const;

/** What a server on this machine asks for. Others (XDM-AUTHORIZATION-1) are tied to a client's address. */
const METHOD = "MIT-MAGIC-COOKIE-1";

/** A magic cookie has 16 bytes; what is far longer is none. */
const MAX_COOKIE = 256;

/**
 * An authority file of our own for one display: the first cookie for it in the user's file, and nothing else of that.
 *
 * It is written for any address, because clients look a display of their own machine up by its host name, and a sandbox
 * has another.
 *
 * @param file the user's authority file
 * @param hostname as clients on the host call this machine
 * @returns null if there is no cookie for the display: the server may let the user in all the same
 */
export function authorityFor(display: XDisplay, file: Uint8Array, hostname: string): Uint8Array | null {
  const entry = parseAuthority(file).find(
    (candidate) =>
      text(candidate.name) === METHOD &&
      candidate.data.length <= MAX_COOKIE &&
      isOfDisplay(candidate, display) &&
      isOfHost(candidate, display, hostname),
  );
  if (entry === undefined) return null;
  return writeAuthority([
    { ...entry, family: XFamily.WILD, address: new Uint8Array(0), number: new TextEncoder().encode(display.number) },
  ]);
}

/** The entries of an authority file, up to the first that is cut off. */
export function parseAuthority(file: Uint8Array): XAuthorityEntry[] {
  const reader = new Reader(file);
  const entries: XAuthorityEntry[] = [];
  for (let entry = reader.entry(); entry !== null; entry = reader.entry()) entries.push(entry);
  return entries;
}

/** @throws RangeError for a string of more than 65535 bytes */
export function writeAuthority(entries: readonly XAuthorityEntry[]): Uint8Array {
  return Uint8Array.from(
    entries.flatMap(({ family, address, number, name, data }) => [
      ...bigEndian(family),
      ...[address, number, name, data].flatMap((bytes) => [...bigEndian(bytes.length), ...bytes]),
    ]),
  );
}

class Reader {
  readonly #view: DataView;
  readonly #file: Uint8Array;
  #offset = 0;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  entry(): XAuthorityEntry | null {
    const family = this.#number();
    const [address, number, name, data] = [this.#string(), this.#string(), this.#string(), this.#string()];
    if (family === null || address === null || number === null || name === null || data === null) return null;
    return { family, address, number, name, data };
  }

  #number(): number | null {
    if (this.#offset + 2 > this.#file.length) return null;
    this.#offset += 2;
    return this.#view.getUint16(this.#offset - 2);
  }

  #string(): Uint8Array | null {
    const length = this.#number();
    if (length === null || this.#offset + length > this.#file.length) return null;
    this.#offset += length;
    return this.#file.slice(this.#offset - length, this.#offset);
  }
}

/** An entry without a number is for every display (Xau(3)). */
function isOfDisplay({ number }: XAuthorityEntry, display: XDisplay): boolean {
  return number.length === 0 || text(number) === display.number;
}

function isOfHost({ family, address }: XAuthorityEntry, { host }: XDisplay, hostname: string): boolean {
  if (family === XFamily.WILD) return true;
  // clients take what comes over the loopback device for local: ssh -X makes its entries so
  if (family === XFamily.LOCAL) return (host === null || host === "localhost" || host === "127.0.0.1") && text(address) === hostname;
  return family === XFamily.INTERNET && host !== null && address.join(".") === host;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function bigEndian(value: number): [number, number] {
  if (value > 0xffff) throw new RangeError(`${value} does not fit into 16 bits`);
  return [value >> 8, value & 0xff];
}
