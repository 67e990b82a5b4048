// Bundles a module for GJS, as tools/gjs-bundle.js says: node tools/build-gjs.js ENTRY OUTPUT
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { bundleForGjs } from "./gjs-bundle.js";

const [entry, output] = process.argv.slice(2);
if (entry === undefined || output === undefined) {
  console.error("Usage: node tools/build-gjs.js ENTRY OUTPUT\n\nExample:\n  node tools/build-gjs.js src/gjs/index.ts dist/gjs/gio-sandbox.js");
  process.exit(2);
}

await mkdir(dirname(output), { recursive: true });
const { code } = await bundleForGjs({ entryPoints: [entry] });
await writeFile(output, code);
