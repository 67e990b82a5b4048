import Gio from "gi://Gio?version=2.0";

/* Stands for node:crypto: random numbers, from the kernel. */

/** Bytes with the one method that is asked for. */
class RandomBytes extends Uint8Array {
  /** In hexadecimal digits, whatever is asked for. */
  override toString(): string {
    return Array.from(this, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

export function randomBytes(size: number): RandomBytes {
  const stream = Gio.File.new_for_path("/dev/urandom").read(null);
  try {
    return new RandomBytes(stream.read_bytes(size, null).toArray());
  } finally {
    stream.close(null);
  }
}

/** A number from `min` to below `max`, which is at most 2³² more. */
export function randomInt(min: number, max: number): number {
  const range = max - min;
  // what is above the last multiple of the range would come too often
  const limit = Math.floor(2 ** 32 / range) * range;
  for (;;) {
    const random = new DataView(randomBytes(4).buffer).getUint32(0);
    if (random < limit) return min + (random % range);
  }
}
