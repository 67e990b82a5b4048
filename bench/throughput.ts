/** Many processes, some at once: how many a second, by each way of starting them. */
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import type { Contender } from "./measure.js";
import { rawBubblewrap } from "./launch.js";

export interface Throughput {
  readonly name: string;
  /** Processes a second. */
  readonly rate: number;
}

/** Runs `count` processes through each contender in turn, `width` of them at once. */
export async function throughput(count: number, width: number): Promise<Throughput[]> {
  const sandboxes = await Promise.all(
    Array.from({ length: 4 }, () => new SandboxSubprocessLauncher().openSandboxAsync()),
  );
  const launchers = sandboxes.map((sandbox) => new SandboxSubprocessLauncher({ sandbox }));
  let next = 0;
  const inTurn = (): SandboxSubprocessLauncher => launchers[next++ % launchers.length] ?? new SandboxSubprocessLauncher();
  const prewarmed = new SandboxSubprocessLauncher();
  prewarmed.prewarm(64);
  const plain = new SandboxSubprocessLauncher();
  const contenders: Contender[] = [
    await rawBubblewrap(),
    { name: "gio-sandbox, each its own sandbox", run: () => launch(plain) },
    { name: "gio-sandbox, prewarmed", run: () => launch(prewarmed) },
    { name: "gio-sandbox, in four open sandboxes", run: () => launch(inTurn()) },
  ];
  const results: Throughput[] = [];
  for (const { name, run } of contenders) {
    await runMany(run, Math.ceil(count / 10), width);
    const start = performance.now();
    await runMany(run, count, width);
    results.push({ name, rate: (count / (performance.now() - start)) * 1000 });
  }
  prewarmed.close();
  sandboxes.forEach((sandbox) => sandbox.close());
  return results;
}

async function launch(launcher: SandboxSubprocessLauncher): Promise<void> {
  const child = await launcher.spawnvAsync(["/bin/true"]);
  await child.waitCheckAsync();
}

async function runMany(run: () => Promise<void>, count: number, width: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
