/**
 * npm run bench, or node --import tsx bench/flatpak.ts [ROUNDS]
 *
 * Runs bench/in-flatpak.ts inside a real Flatpak, prints what it says, and adds its figures to build/bench.json. Nothing is
 * measured in this process itself.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { argv, stderr, stdout } from "node:process";
import { FlatpakApp } from "../test/flatpak/flatpak-app.js";
import { missingForFlatpak } from "../test/flatpak/missing.js";

const rounds = Number(argv[2] ?? 50);
if (!Number.isInteger(rounds) || rounds < 10) throw new Error(`Expected a number of rounds, 10 or more, but got ${argv[2] ?? ""}`);

const missing = missingForFlatpak();
if (missing !== null) throw new Error(`Nothing can be measured in a Flatpak: ${missing}`);
await using app = await FlatpakApp.start();
const result = await app.run(["node", "bench/in-flatpak.js", String(rounds)], { timeout: 600_000 });
const [text = "", figures = ""] = result.stdout.split(/(?<=\n)(?=\{)/);
stdout.write(text);
stderr.write(result.stderr);
if (result.status !== 0) throw new Error(`The benchmark ended with status ${result.status ?? "of a killed Flatpak"}`);

const file = "build/bench.json";
const others = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as object) : {};
mkdirSync("build", { recursive: true });
writeFileSync(file, `${JSON.stringify({ ...others, flatpak: JSON.parse(figures) as unknown }, null, 2)}\n`);
