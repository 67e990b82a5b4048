/** Numbers that look random, the same for the same seed: xorshift32 (Marsaglia, “Xorshift RNGs”). */
export function randomNumbers(seed: number): (below: number) => number {
  // zero would stay zero
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
