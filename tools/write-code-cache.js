// Keeps the machine code that V8 makes of the gio-sandbox command while it runs: node tools/write-code-cache.js ARGUMENT…
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import { Script } from "node:vm";

const file = fileURLToPath(new URL("../dist/cli/gio-sandbox.cjs", import.meta.url));
// as src/cli/node-start.ts has it
const script = new Script(`(function (require, __filename) {${readFileSync(file, "latin1")}\n})`, { filename: file });
process.on("exit", () => {
  // whether it could make a sandbox does not matter here
  process.exitCode = 0;
  writeFileSync(file.replace(/\.cjs$/, `.${process.version}-${process.arch}.cache`), script.createCachedData());
});
script.runInThisContext()(createRequire(file), file);
