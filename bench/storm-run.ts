import { killIfThere } from "../src/node/host-processes.js";
import type { Cancellable, Sandbox } from "../src/node/index.js";
import { GLibError, SandboxSubprocessLauncher, SubprocessFlags } from "../src/node/index.js";
import type { SandboxSubprocess } from "../src/node/index.js";
import type { Census } from "./census.js";
import { census, ownInits, settled } from "./census.js";
import { randomNumbers } from "./random-numbers.js";

export interface StormResult {
  readonly before: Census;
  readonly after: Census;
  /** How many launches came to what. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** What must not be: a promise that did not settle, an end that was not the child's, an error that is no GLibError. */
  readonly faults: readonly string[];
}

/** Launches at once. */
const WIDTH = 24;

const SANDBOXES = 4;

const PREWARMED = 8;

/** Milliseconds in which every promise settles, even on a machine that has other things to do. */
const PATIENCE = 30_000;

/** Of so many launches one kills the init of some sandbox, and one closes an open sandbox. */
const KILL_EACH = 40;
const CLOSE_EACH = 100;

/**
 * Launches children that crash, linger, leave others behind and are not there, in sandboxes from a pool, in open ones and in
 * new ones, while launches are cancelled, children killed, sandboxes closed and inits killed, all at moments that the seed says.
 *
 * @param progress hears how many are done
 */
export async function storm(launches: number, seed: number, progress: (done: number) => void): Promise<StormResult> {
  await new Storm(seed).run(2 * WIDTH, () => undefined);
  const before = await census();
  const run = new Storm(seed);
  await run.run(launches, progress);
  return { before, after: await settled(before), outcomes: run.outcomes, faults: run.faults };
}

class Storm {
  readonly outcomes = new Map<string, number>();
  readonly faults: string[] = [];
  readonly #random: (below: number) => number;
  readonly #pooled = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE });
  readonly #open: (Promise<Sandbox> | null)[] = Array.from({ length: SANDBOXES }, () => null);

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  async run(launches: number, progress: (done: number) => void): Promise<void> {
    this.#pooled.prewarm(PREWARMED);
    let [begun, done] = [0, 0];
    const worker = async (): Promise<void> => {
      while (begun < launches) {
        const number = ++begun;
        if (number % KILL_EACH === 0) this.#killSomeInit();
        if (number % CLOSE_EACH === 0) (await this.#sandbox())?.close();
        await this.#launchOne(number);
        progress(++done);
      }
    };
    await Promise.all(Array.from({ length: WIDTH }, worker));
    this.#pooled.close();
    for (const opening of this.#open) {
      const sandbox = await opening?.catch(() => null);
      if (sandbox !== null && sandbox !== undefined) await this.#within("the end of a sandbox", sandbox[Symbol.asyncDispose]());
    }
  }

  async #launchOne(number: number): Promise<void> {
    const misdeed = this.#pick(misdeeds);
    const treatment = this.#pick(treatments);
    const label = `launch ${number} (${misdeed.name}, ${treatment.name})`;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), treatment.cancels ? this.#random(8) : NEVER);
    try {
      const launcher = await this.#launcher();
      const child = await this.#within(`the start of ${label}`, launcher.spawnvAsync(misdeed.argv, abort.signal));
      try {
        const end = treatment.run(child, abort.signal, this.#random(6));
        const isOwnEnd = await this.#within(`the end of ${label}`, end);
        if (isOwnEnd && !misdeed.isEnd(child)) this.faults.push(`${label}: status ${child.getStatus()}`);
        this.#count(isOwnEnd ? "ended by itself" : "ended by us");
      } finally {
        // its pipe is open as long as nobody has read it
        await this.#within(`the disposal of ${label}`, child[Symbol.asyncDispose]());
      }
    } catch (error) {
      if (error instanceof GLibError) this.#count(`${error.domain} ${error.code}`);
      else this.faults.push(`${label}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  async #launcher(): Promise<SandboxSubprocessLauncher> {
    const place = this.#random(10);
    if (place < 4) return this.#pooled;
    const flags = SubprocessFlags.STDOUT_PIPE;
    const sandbox = place < 9 ? await this.#sandbox() : null;
    const launcher = new SandboxSubprocessLauncher({ flags, sandbox });
    if (this.#random(8) === 0) launcher.timeout = 1 + this.#random(20);
    return launcher;
  }

  /** One of the open sandboxes, made anew if it is gone; null if it could not be opened, since its init was killed then. */
  async #sandbox(): Promise<Sandbox | null> {
    const place = this.#random(SANDBOXES);
    const there = await this.#open[place]?.catch(() => null);
    if (there !== null && there !== undefined && !there.isClosed) return there;
    const opening = new SandboxSubprocessLauncher().openSandboxAsync();
    const former = this.#open[place];
    this.#open[place] = opening;
    const old = await former?.catch(() => null);
    old?.close();
    return this.#within("the opening of a sandbox", opening).catch((error: unknown) => {
      expectGLibError(error);
      return null;
    });
  }

  #killSomeInit(): void {
    const inits = ownInits();
    const init = inits[this.#random(Math.max(inits.length, 1))];
    if (init !== undefined) killIfThere(init);
  }

  async #within<T>(what: string, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} has not come`)), PATIENCE);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #pick<T>(list: readonly T[]): T {
    const one = list[this.#random(list.length)];
    if (one === undefined) throw new RangeError("There is nothing to pick from");
    return one;
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }
}

/** Longer than any storm. */
const NEVER = 2 ** 30;

interface Misdeed {
  readonly name: string;
  readonly argv: readonly string[];
  /** Whether the child has ended as it does if nobody interferes. */
  readonly isEnd: (child: SandboxSubprocess) => boolean;
}

const exits = (status: number) => (child: SandboxSubprocess) => child.getIfExited() && child.getExitStatus() === status;
const dies = (signal: number) => (child: SandboxSubprocess) => child.getIfSignaled() && child.getTermSig() === signal;

const misdeeds: readonly Misdeed[] = [
  { name: "success", argv: ["true"], isEnd: exits(0) },
  { name: "failure", argv: ["sh", "-c", "exit 7"], isEnd: exits(7) },
  { name: "crash", argv: ["sh", "-c", "kill -SEGV $$"], isEnd: dies(11) },
  { name: "sudden death", argv: ["sh", "-c", "kill -KILL $$"], isEnd: dies(9) },
  { name: "output", argv: ["head", "-c", "200000", "/dev/zero"], isEnd: exits(0) },
  { name: "orphans", argv: ["sh", "-c", "sleep 1000 >&- & sleep 1000 >&- & exit 3"], isEnd: exits(3) },
  { name: "short sleep", argv: ["sleep", "0.005"], isEnd: exits(0) },
  { name: "no program", argv: ["there-is-no-such-program"], isEnd: () => false },
];

interface Treatment {
  readonly name: string;
  readonly cancels: boolean;
  /** @returns whether nobody interfered with the child's own end */
  readonly run: (child: SandboxSubprocess, cancellable: Cancellable, moment: number) => Promise<boolean>;
}

const untouched = async (child: SandboxSubprocess): Promise<boolean> => {
  await child.communicateAsync();
  return true;
};

const treatments: readonly Treatment[] = [
  { name: "left alone", cancels: false, run: untouched },
  { name: "left alone", cancels: false, run: untouched },
  {
    name: "cancelled",
    cancels: true,
    run: async (child, cancellable) => {
      await child.communicateAsync(null, cancellable);
      return true;
    },
  },
  {
    name: "killed",
    cancels: false,
    run: async (child, _cancellable, moment) => {
      setTimeout(() => child.forceExit(), moment);
      await child.waitAsync();
      return false;
    },
  },
  {
    name: "disposed of at once",
    cancels: false,
    run: async (child) => {
      await child[Symbol.asyncDispose]();
      return false;
    },
  },
];

function expectGLibError(error: unknown): void {
  if (!(error instanceof GLibError)) throw error;
}
