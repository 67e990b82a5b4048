/** node-gtk's `GLib.Bytes`, as far as it is used here. */
export interface GLibBytes {
  /** A copy, with a number for each byte; null if there are none. */
  getData(): ArrayLike<number> | null;
}

/** @throws TypeError for what is neither bytes nor null */
export function bytesOf(bytes: Uint8Array | GLibBytes | null): Uint8Array | null {
  if (bytes === null || bytes instanceof Uint8Array) return bytes;
  if (typeof (bytes as Partial<GLibBytes>).getData !== "function") {
    throw new TypeError(`Expected a Uint8Array, GLib.Bytes or null, but got ${typeof bytes}.`);
  }
  return Uint8Array.from(bytes.getData() ?? []);
}
