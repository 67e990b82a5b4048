import { writeSync } from "node:fs";

/* How a script of this folder says what it found, the same way in Node and in GJS. */

export function tell(what: string, result: unknown): void {
  const text = JSON.stringify([result], (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
  writeSync(1, `${what}: ${text}\n`);
}

/** Tells what comes of something, or the `code` of the error that does. */
export async function attempt(what: string, act: () => unknown): Promise<void> {
  try {
    tell(what, await act());
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    tell(what, { code });
  }
}
