/** Many processes, some at once: by each way of starting them. */
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import { runCommand } from "./command.js";
import { COLD, launch, PLAIN, PREWARMED, RAW, rawBubblewrap } from "./launch.js";
import type { Contender, Measurement } from "./measure.js";
import { measure, timed } from "./measure.js";

export const FOUR = "gio-sandbox, in four open sandboxes";

/** The most sandboxes that a pool may keep. */
const POOL = 64;

/** Times of `count` processes, `width` of them at once, by each contender in turn. */
export async function throughput(count: number, width: number, rounds: number): Promise<Measurement> {
  const sandboxes = await Promise.all(
    Array.from({ length: 4 }, () => new SandboxSubprocessLauncher().openSandboxAsync()),
  );
  const launchers = sandboxes.map((sandbox) => new SandboxSubprocessLauncher({ sandbox }));
  let next = 0;
  const inTurn = (): SandboxSubprocessLauncher => launchers[next++ % launchers.length] ?? new SandboxSubprocessLauncher();
  const plain = new SandboxSubprocessLauncher();
  const raw = await rawBubblewrap();
  const many = (name: string, run: () => Promise<unknown>): Contender => ({
    name,
    run: timed(() => runMany(run, count, width)),
  });
  try {
    return await measure(
      [
        many(RAW, raw.run),
        many(COLD, () => launch(plain)),
        { name: PREWARMED, run: () => fromPool(count, width) },
        many(FOUR, () => launch(inTurn())),
        many(PLAIN, () => runCommand(["/bin/true"])),
      ],
      rounds,
    );
  } finally {
    for (const sandbox of sandboxes) await sandbox[Symbol.asyncDispose]();
  }
}

/** The pool is full when it begins, and nobody else's time goes into filling it up again. */
async function fromPool(count: number, width: number): Promise<number> {
  using launcher = new SandboxSubprocessLauncher();
  launcher.prewarm(POOL);
  await new Promise((resolve) => setTimeout(resolve, FILLING));
  return await timed(() => runMany(() => launch(launcher), count, width))();
}

/** Milliseconds in which `POOL` sandboxes are ready, even on a slow machine. */
const FILLING = 1500;

async function runMany(run: () => Promise<unknown>, count: number, width: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
