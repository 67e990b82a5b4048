// How modules become bundles for GJS.
//
// What both shells share is written in the words of Node's modules. In the bundle
// - `node:NAME` is src/gjs/node/NAME.ts, which has on top of GLib what is used of it;
// - a module of src/node that has a namesake in src/gjs is replaced by that;
// - Promise is LoopPromise, also where async functions are concerned, and so blocking calls can wait for one.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { build, transform } from "esbuild";
import { source } from "./split-command.js";

/** What every bundle has in each of its modules. */
const globals = join(source, "gjs/globals.ts");

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

const target = {
  target: "firefox102",
  supported: { "async-await": false, "async-generator": false, "for-await": false },
  define: { Promise: "LoopPromise" },
  charset: "utf8",
};

/**
 * Runs esbuild with `options` besides.
 *
 * @param metaUrl what stands for `import.meta.url`
 * @returns the text of the bundle, and what esbuild tells of it
 */
export async function bundleForGjs({ plugins = [], minify = false, metaUrl = "import.meta.url", ...options }) {
  const { outputFiles, metafile } = await build({
    bundle: true,
    format: "esm",
    ...target,
    define: { ...target.define, "import.meta.url": metaUrl },
    logOverride: { "import-is-undefined": "error" },
    inject: [globals],
    external: ["gi://*", "resource://*", "system", "gettext", "cairo"],
    plugins: [...plugins, replacements],
    metafile: true,
    write: false,
    ...options,
  });
  // esbuild's own functions for async ones are not subject to this in the first pass
  const { code } = await transform(outputFiles[0].text, { ...target, minify });
  return { code, metafile };
}
