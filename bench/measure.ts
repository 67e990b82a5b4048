/** Times of things that are done in turns, so that whatever else the machine does falls on all of them alike. */

export interface Contender {
  readonly name: string;
  /** Does it once. @returns how many milliseconds that took */
  readonly run: () => Promise<number>;
  /** Milliseconds to wait before it is done and after, for what goes on in the background. */
  readonly pause?: number;
}

/** The middle of what was measured, and where half of it lies. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** Milliseconds that `work` takes. */
export function timed(work: () => Promise<unknown>): () => Promise<number> {
  return async () => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
}

/** What each contender took, round by round. */
export class Measurement {
  readonly #times: ReadonlyMap<string, readonly number[]>;

  constructor(times: ReadonlyMap<string, readonly number[]>) {
    this.#times = times;
  }

  get names(): readonly string[] {
    return [...this.#times.keys()];
  }

  /** Milliseconds. */
  time(name: string): Spread {
    return spreadOf(this.#timesOf(name));
  }

  /** How many times as long one takes as another, in the same round. */
  ratio(name: string, reference: string): Spread {
    const base = this.#timesOf(reference);
    return spreadOf(this.#timesOf(name).map((time, round) => time / (base[round] ?? Number.NaN)));
  }

  #timesOf(name: string): readonly number[] {
    const times = this.#times.get(name);
    if (times === undefined) throw new RangeError(`Nothing was measured of “${name}”`);
    return times;
  }
}

/**
 * Runs the contenders in turns, `rounds` times each after a tenth of that to warm up. Each round begins with another one, so
 * that none always comes behind the same.
 */
export async function measure(contenders: readonly Contender[], rounds: number): Promise<Measurement> {
  const times = new Map(contenders.map(({ name }): [string, number[]] => [name, []]));
  const warmUp = Math.ceil(rounds / 10);
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, run, pause = 0 } of rotated(contenders, round + warmUp)) {
      await delay(pause);
      const time = await run();
      if (round >= 0) times.get(name)?.push(time);
      await delay(pause);
    }
  }
  return new Measurement(times);
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

async function delay(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), lowerQuartile: at(0.25), upperQuartile: at(0.75) };
}

/** A table of what was measured, with the ratio of each to `reference`. */
export function table(measurement: Measurement, reference: string): string {
  const width = Math.max(...measurement.names.map((name) => name.length));
  return measurement.names
    .map((name) => {
      const { median, lowerQuartile, upperQuartile } = measurement.time(name);
      const ratio = measurement.ratio(name, reference);
      const spread = `(${lowerQuartile.toFixed(2)} to ${upperQuartile.toFixed(2)})`;
      const ratioSpread = `(${ratio.lowerQuartile.toFixed(2)} to ${ratio.upperQuartile.toFixed(2)})`;
      return (
        `${name.padEnd(width)}  ${median.toFixed(2).padStart(8)} ms ${spread.padEnd(20)} ` +
        `${ratio.median.toFixed(2).padStart(6)} × ${ratioSpread}`
      );
    })
    .join("\n");
}
