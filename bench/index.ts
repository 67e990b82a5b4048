/**
 * npm run bench [-- ROUNDS]
 *
 * Measures what docs/performance.md speaks of, in turns, and prints it; writes all figures to build/bench.json, and the
 * charts of docs/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { argv, stdout } from "node:process";
import { launchChart } from "./chart/launch-chart.js";
import { costChart } from "./chart/cost-chart.js";
import { costCurves } from "./costs.js";
import { launchContenders, RAW } from "./launch.js";
import { machine, machineText } from "./machine.js";
import type { Measurement } from "./measure.js";
import { measure, table } from "./measure.js";
import { idleMemory } from "./memory.js";
import { startPeers } from "./peers.js";
import { LEAST, startUp } from "./start-up.js";
import { targets } from "./targets.js";
import { throughput } from "./throughput.js";

const rounds = Number(argv[2] ?? 200);
if (!Number.isInteger(rounds) || rounds < 10) throw new Error(`Expected a number of rounds, 10 or more, but got ${argv[2] ?? ""}`);

const say = (text: string): void => void stdout.write(`${text}\n`);
const conditions = machine();
const where = machineText(conditions);
say(where);

const launch = await measureLaunches();
say(`\nspawn to exit of /bin/true, ${rounds} rounds in turns; ratios to bwrap, round by round:\n\n${table(launch, RAW)}`);

const [processes, width, batches] = [10 * rounds, 32, 3];
const rates = await throughput(processes, width, batches);
say(`\n${processes} processes, ${width} at once, ${batches} rounds:\n`);
for (const name of rates.names) {
  const rate = (processes / rates.time(name).median) * 1000;
  say(`${name.padEnd(42)} ${rate.toFixed(0).padStart(6)} a second ${rates.ratio(RAW, name).median.toFixed(2).padStart(6)} ×`);
}

const starts = await startUp(Math.ceil(rounds / 4));
say(`\nthe command from its start to its end:\n\n${table(starts, LEAST)}`);

const memory = await idleMemory(500);
say(`\n${memory.sandboxes} open sandboxes: ${memory.eachKibibytes.toFixed(0)} KiB each, bwrap's processes included`);

const costs = await costCurves(Math.max(10, Math.ceil(rounds / 20)));
for (const { title, unit, curves } of costs) {
  say(`\nlaunch time against ${title}:`);
  for (const { name, points } of curves) {
    say(`  ${name.padEnd(24)} ${points.map(({ amount, time }) => `${amount} ${unit}: ${time.median.toFixed(1)} ms`).join("   ")}`);
  }
}

say("\ntargets:");
const reached = targets({ launch, throughput: rates, startUp: starts, memory });
for (const { what, wanted, measured, isMet } of reached) {
  say(`  ${isMet ? "met    " : "NOT MET"} ${what.padEnd(48)} ${wanted.padEnd(24)} ${measured}`);
}

mkdirSync("build", { recursive: true });
const figures = {
  date: new Date().toISOString(),
  machine: conditions,
  rounds,
  launch: plain(launch, RAW),
  throughput: { processes, width, ...plain(rates, RAW) },
  startUp: plain(starts, LEAST),
  memory,
  costs,
  targets: reached,
};
writeFileSync("build/bench.json", `${JSON.stringify(figures, null, 2)}\n`);
writeFileSync("docs/performance.svg", launchChart(launch, rates, processes, where));
writeFileSync("docs/cost-curves.svg", costChart(costs, where));
say("\nwritten: build/bench.json, docs/performance.svg, docs/cost-curves.svg");

async function measureLaunches(): Promise<Measurement> {
  await using ours = await launchContenders();
  await using peers = await startPeers();
  for (const reason of peers.absent) say(`left out: ${reason}`);
  return await measure([...ours.contenders, ...peers.contenders], rounds);
}

/** Milliseconds, and ratios of the times of the same round. */
function plain(measurement: Measurement, reference: string): object {
  const results = measurement.names.map((name) => ({
    name,
    milliseconds: measurement.time(name),
    ratio: measurement.ratio(name, reference),
  }));
  return { reference, results };
}
