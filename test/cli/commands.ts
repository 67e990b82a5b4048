import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import type { RunOptions } from "../../src/cli/run-options.js";
import { parseRunOptions as parseWithProfiles } from "../../src/cli/run-options.js";
import { loadProfile } from "../../src/node/profiles.js";

/** Reads options as the command does on Node. */
export function parseRunOptions(words: readonly string[]): RunOptions {
  return parseWithProfiles(words, { loadProfile });
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const onNode = join(root, "bin/gio-sandbox");

let program = onNode;

/** The command, on the runtime that is tested at the moment. */
export function command(): string {
  return program;
}

/** Describes the command on Node, and the same on GJS. */
export function describeOnEachRuntime(title: string, tests: () => void): void {
  describe(`${title}, on Node`, tests);
  describe(`${title}, on GJS`, () => {
    const prefix = temporaryDirectory();
    before(() => {
      execFileSync(join(root, "tools/install"), ["--prefix", prefix.path, "--runtime", "gjs"], { stdio: ["ignore", "ignore", "pipe"] });
      program = join(prefix.path, "bin/gio-sandbox");
    });
    after(() => {
      program = onNode;
      prefix[Symbol.dispose]();
    });
    tests();
  });
}
