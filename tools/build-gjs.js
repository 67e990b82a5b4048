// Bundles a module for GJS: node tools/build-gjs.js ENTRY OUTPUT
//
// What both shells share is written in the words of Node's modules. In the bundle
// - `node:NAME` is src/gjs/node/NAME.ts, which has on top of GLib what is used of it;
// - a module of src/node that has a namesake in src/gjs is replaced by that;
// - Promise is LoopPromise, also where async functions are concerned, and so blocking calls can wait for one.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import { build, transform } from "esbuild";

const source = fileURLToPath(new URL("../src", import.meta.url));
const [entry, output] = process.argv.slice(2);
if (entry === undefined || output === undefined) {
  console.error("Usage: node tools/build-gjs.js ENTRY OUTPUT\n\nExample:\n  node tools/build-gjs.js src/gjs/index.ts dist/gjs/gio-sandbox.js");
  process.exit(2);
}

const replacements = {
  name: "replacements",
  setup({ onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => {
      const file = join(source, "gjs/node", `${path.slice("node:".length)}.ts`);
      return existsSync(file) ? { path: file } : { errors: [{ text: `There is no ${relative(".", file)} to stand for ${path}` }] };
    });
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, importer }) => {
      const file = join(resolveDir, path.replace(/\.js$/, ".ts"));
      if (!file.startsWith(join(source, "node/"))) return undefined;
      const namesake = join(source, "gjs", relative(join(source, "node"), file));
      return existsSync(namesake) && importer !== namesake ? { path: namesake } : undefined;
    });
  },
};

const asyncFunctions = { "async-await": false, "async-generator": false, "for-await": false };

const promises = { Promise: "LoopPromise" };

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "firefox102",
    supported: asyncFunctions,
    inject: [join(source, "gjs/globals.ts")],
    define: promises,
    external: ["gi://*", "resource://*", "system", "gettext", "cairo"],
    plugins: [replacements],
    charset: "utf8",
    write: false,
  });
  // esbuild's own functions for async ones are not subject to this in the first pass
  const { code } = await transform(outputFiles[0].text, {
    target: "firefox102",
    supported: asyncFunctions,
    define: promises,
    charset: "utf8",
  });
  return code;
}

await mkdir(dirname(output), { recursive: true });
await writeFile(output, await bundle());
