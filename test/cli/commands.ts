import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunOptions } from "../../src/cli/run-options.js";
import { parseRunOptions as parseWithProfiles } from "../../src/cli/run-options.js";
import { loadProfile } from "../../src/node/profiles.js";

/** Reads options as the command does on Node. */
export function parseRunOptions(words: readonly string[]): RunOptions {
  return parseWithProfiles(words, { loadProfile });
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const installed = join(root, "build/installed");

/** The command as it is on each runtime. */
const runtimes = [
  { name: "Node", program: join(root, "bin/gio-sandbox") },
  { name: "GJS", program: join(installed, "bin/gio-sandbox") },
] as const;

let program: string = runtimes[0].program;

/** The command, on the runtime that is tested at the moment. */
export function command(): string {
  return program;
}

/** Describes the command on Node, and the same on GJS. */
export function describeOnEachRuntime(title: string, tests: () => void): void {
  for (const runtime of runtimes) {
    describe(`${title}, on ${runtime.name}`, () => {
      before(() => {
        if (runtime.name === "GJS") execFileSync(join(root, "tools/install"), ["--prefix", installed, "--runtime", "gjs"], quietly);
        program = runtime.program;
      });
      after(() => {
        program = runtimes[0].program;
      });
      tests();
    });
  }
}

const quietly = { stdio: "ignore" } as const;
