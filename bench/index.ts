/**
 * npm run bench [-- ROUNDS]
 *
 * Prints medians, quartiles and ratios. What they were once is in docs/performance.md.
 */
import { argv, stdout } from "node:process";
import { launchContenders } from "./launch.js";
import { measure, table } from "./measure.js";

const rounds = Number(argv[2] ?? 200);
if (!Number.isInteger(rounds) || rounds < 10) throw new Error(`Expected a number of rounds, 10 or more, but got ${argv[2] ?? ""}`);

stdout.write(`spawn to exit of /bin/true, ${rounds} rounds in turns:\n\n`);
const results = await measure(await launchContenders(), rounds);
stdout.write(`${table(results, "child_process.spawn of bwrap, same mounts")}\n`);
