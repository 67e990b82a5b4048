/**
 * npm run soak [-- LAUNCHES]: launches in a row, watching that nothing grows: descriptors, processes, memory, files.
 */
import { argv, memoryUsage, stdout } from "node:process";
import { soak } from "./soak-run.js";

const launches = Number(argv[2] ?? 10_000);
const { before, after } = await soak(launches, (done) => {
  if (done % 500 === 0) stdout.write(`\r${done}/${launches}  ${(memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`);
});
stdout.write("\n");
for (const name of Object.keys(before) as (keyof typeof before)[]) {
  stdout.write(`${name.padEnd(12)} ${before[name]} before, ${after[name]} after\n`);
}
