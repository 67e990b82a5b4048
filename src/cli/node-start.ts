/**
 * Starts the gio-sandbox command on Node from its one file: with the machine code that V8 made of it when it was built, if
 * this is the same Node, else with what a Node that can do so has kept of an earlier run.
 */
import { readFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import { join } from "node:path";
import { arch, env, version } from "node:process";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

const file = fileURLToPath(new URL("gio-sandbox.cjs", import.meta.url));
const require = createRequire(import.meta.url);

const cachedData = builtCode();
if (cachedData === null) {
  keepCode();
  require(file);
} else {
  // as tools/write-code-cache.js has it: V8 takes the code for another text otherwise, and makes its own
  const script = new Script(`(function (require, __filename) {${readFileSync(file, "latin1")}\n})`, { filename: file, cachedData });
  (script.runInThisContext() as (require: NodeJS.Require, file: string) => void)(require, file);
}

function builtCode(): Buffer | null {
  try {
    return readFileSync(file.replace(/\.cjs$/, `.${version}-${arch}.cache`));
  } catch {
    // it was built by another Node
    return null;
  }
}

/** In the user's own directory: what is in the common one for temporary files could be anybody's code. */
function keepCode(): void {
  const { enableCompileCache } = module as { readonly enableCompileCache?: (directory: string) => unknown };
  const { XDG_CACHE_HOME: cache = "", HOME: home = "" } = env;
  const directory = cache.startsWith("/") ? cache : home.startsWith("/") ? join(home, ".cache") : null;
  if (directory !== null) enableCompileCache?.(join(directory, "gio-sandbox"));
}
