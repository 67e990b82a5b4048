/** 64-bit arguments around all constants that rules ask for, each with clean and with dirty high words. */
export function edgeValues(constants: readonly number[], isWide: boolean): readonly bigint[] {
  const low = new Set(constants.flatMap((value) => [value - 1, value, value + 1]).map((value) => BigInt(value >>> 0)));
  const high = isWide ? [0n, 1n, 0x80000000n, 0xffffffffn] : [0n];
  return high.flatMap((word) => [...low].map((value) => (word << 32n) | value));
}

/** Numbers from 0 to 2³²−1, the same each time (a linear congruential generator, Numerical Recipes' constants). */
export function* pseudoRandom(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // the low bits repeat soon
    yield ((state >>> 16) | (state << 16)) >>> 0;
  }
}
