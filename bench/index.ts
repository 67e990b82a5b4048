/**
 * npm run bench [-- ROUNDS]
 *
 * Prints medians, quartiles and ratios. What they were once is in docs/performance.md.
 */
import { argv, stdout } from "node:process";
import { launchContenders } from "./launch.js";
import { measure, table } from "./measure.js";
import { idleMemory } from "./memory.js";
import { throughput } from "./throughput.js";

const rounds = Number(argv[2] ?? 200);
if (!Number.isInteger(rounds) || rounds < 10) throw new Error(`Expected a number of rounds, 10 or more, but got ${argv[2] ?? ""}`);

stdout.write(`spawn to exit of /bin/true, ${rounds} rounds in turns:\n\n`);
const results = await measure(await launchContenders(), rounds);
stdout.write(`${table(results, "child_process.spawn of bwrap, same mounts")}\n`);

const [processes, width] = [10 * rounds, 32];
stdout.write(`\n${processes} processes, ${width} at once:\n\n`);
const rates = await throughput(processes, width);
const base = rates[0]?.rate ?? Number.NaN;
for (const { name, rate } of rates) {
  stdout.write(`${name.padEnd(42)} ${rate.toFixed(0).padStart(6)} a second ${(rate / base).toFixed(2).padStart(6)} ×\n`);
}

const { sandboxes, eachKibibytes } = await idleMemory(500);
stdout.write(`\n${sandboxes} open sandboxes: ${eachKibibytes.toFixed(0)} KiB each, bwrap's processes included\n`);
