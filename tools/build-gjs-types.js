// Puts the declarations of a module into one file: node tools/build-gjs-types.js ENTRY OUTPUT
import process from "node:process";
import { rollup } from "rollup";
import dts from "rollup-plugin-dts";

const [entry, output] = process.argv.slice(2);
if (entry === undefined || output === undefined) {
  console.error("Usage: node tools/build-gjs-types.js ENTRY OUTPUT");
  process.exit(2);
}

const bundle = await rollup({ input: entry, plugins: [dts()], external: [/^gi:/, /^node:/] });
const { output: chunks } = await bundle.write({ file: output, format: "es" });
await bundle.close();
// who has @girs' types need not have Node's
const [{ imports }] = chunks;
const foreign = imports.filter((name) => !name.startsWith("gi:"));
if (foreign.length > 0) throw new Error(`The declarations for GJS need ${foreign.join(", ")}`);
