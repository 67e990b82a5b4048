import type { RunOptions } from "../../src/cli/run-options.js";
import { parseRunOptions as parseWithProfiles } from "../../src/cli/run-options.js";
import { loadProfile } from "../../src/node/profiles.js";

/** Reads options as the command does on Node. */
export function parseRunOptions(words: readonly string[]): RunOptions {
  return parseWithProfiles(words, { loadProfile });
}
