/** Times of things that are done in turns, so that whatever else the machine does falls on all of them alike. */

export interface Contender {
  readonly name: string;
  /** Does it once. */
  readonly run: () => Promise<void>;
  /** Milliseconds to wait before it is done and after, for what goes on in the background. */
  readonly pause?: number;
}

export interface Result {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** Runs the contenders in turns, `rounds` times each after a tenth of that to warm up. */
export async function measure(contenders: readonly Contender[], rounds: number): Promise<Result[]> {
  const times = contenders.map((): number[] => []);
  const warmUp = Math.ceil(rounds / 10);
  for (let round = -warmUp; round < rounds; round++) {
    for (const [index, { run, pause = 0 }] of contenders.entries()) {
      await delay(pause);
      const start = performance.now();
      await run();
      if (round >= 0) times[index]?.push(performance.now() - start);
      await delay(pause);
    }
  }
  return contenders.map(({ name }, index) => summary(name, times[index] ?? []));
}

async function delay(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function summary(name: string, times: number[]): Result {
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { name, median: at(0.5), lowerQuartile: at(0.25), upperQuartile: at(0.75) };
}

/** A table of results, with each median's ratio to that of `reference`. */
export function table(results: readonly Result[], reference: string): string {
  const base = results.find(({ name }) => name === reference)?.median ?? Number.NaN;
  const width = Math.max(...results.map(({ name }) => name.length));
  return results
    .map(({ name, median, lowerQuartile, upperQuartile }) => {
      const spread = `(${lowerQuartile.toFixed(2)} to ${upperQuartile.toFixed(2)})`;
      return `${name.padEnd(width)}  ${median.toFixed(2).padStart(7)} ms ${spread.padEnd(18)} ${(median / base).toFixed(2).padStart(6)} ×`;
    })
    .join("\n");
}
