/**
 * npm run bench, or node --import tsx bench/flatpak.ts [ROUNDS]
 *
 * Runs bench/in-flatpak.ts inside a real Flatpak. Nothing is measured in this process itself.
 */
import { argv, stderr, stdout } from "node:process";
import { FlatpakApp } from "../test/flatpak/flatpak-app.js";
import { missingForFlatpak } from "../test/flatpak/missing.js";

const rounds = Number(argv[2] ?? 50);
if (!Number.isInteger(rounds) || rounds < 10) throw new Error(`Expected a number of rounds, 10 or more, but got ${argv[2] ?? ""}`);

const missing = missingForFlatpak();
if (missing !== null) throw new Error(`Nothing can be measured in a Flatpak: ${missing}`);
await using app = await FlatpakApp.start();
const result = await app.run(["node", "bench/in-flatpak.js", String(rounds)], { timeout: 600_000 });
stdout.write(result.stdout);
stderr.write(result.stderr);
if (result.status !== 0) throw new Error(`The benchmark ended with status ${result.status ?? "of a killed Flatpak"}`);
