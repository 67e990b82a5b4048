/*
 * Stands for the engine's TextDecoder, as far as it is used: GJS 1.74 takes `ignoreBOM` for its opposite.
 */

interface Options {
  /** Whether bytes that are no text are a TypeError. */
  readonly fatal?: boolean;
  /** Whether a byte order mark at the start is part of the text. */
  readonly ignoreBOM?: boolean;
}

const MARK = [0xef, 0xbb, 0xbf];

export class TextDecoder {
  readonly #engine: InstanceType<typeof globalThis.TextDecoder>;
  readonly #keepsMark: boolean;

  constructor(label: "utf-8" | "latin1" = "utf-8", { fatal = false, ignoreBOM = false }: Options = {}) {
    this.#engine = new globalThis.TextDecoder(label, { fatal });
    this.#keepsMark = ignoreBOM;
  }

  decode(bytes: Uint8Array): string {
    if (this.#engine.encoding !== "utf-8") return this.#engine.decode(bytes);
    // the engine sees no mark at all, whatever it would do about it
    let marks = 0;
    while (MARK.every((byte, index) => bytes[marks * MARK.length + index] === byte)) marks++;
    const kept = this.#keepsMark ? marks : Math.max(0, marks - 1);
    return "\ufeff".repeat(kept) + this.#engine.decode(bytes.subarray(marks * MARK.length));
  }
}
