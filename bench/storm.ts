/**
 * tools/bench storm [LAUNCHES] [SEED]: launches that crash, are cancelled, and lose their sandboxes. Nothing may grow, and
 * every promise must settle. Fails otherwise.
 */
import process, { argv, stdout } from "node:process";
import { storm } from "./storm-run.js";

const launches = Number(argv[2] ?? 10_000);
const seed = Number(argv[3] ?? Date.now() % 2 ** 31);
stdout.write(`seed ${seed}\n`);
const start = performance.now();
const { before, after, outcomes, faults } = await storm(launches, seed, (done) => {
  if (done % 500 === 0) stdout.write(`\r${done}/${launches}`);
});
stdout.write(`\r${launches} launches in ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
for (const [outcome, count] of outcomes) stdout.write(`${String(count).padStart(6)} ${outcome}\n`);
for (const name of Object.keys(before) as (keyof typeof before)[]) {
  stdout.write(`${name.padEnd(12)} ${before[name]} before, ${after[name]} after\n`);
}
for (const fault of faults) stdout.write(`FAULT ${fault}\n`);
const hasGrown = (["descriptors", "processes", "inits"] as const).some((name) => after[name] > before[name]);
process.exitCode = faults.length > 0 || hasGrown ? 1 : 0;
