// Bundles the gio-sandbox command for Node into dist/cli: node tools/build-command.js
//
// gio-sandbox.cjs and gio-sandbox-rest.cjs are all of it, as tools/split-command.js says: CommonJS files, since Node takes longer
// to find and link many modules, and longer to begin with ES modules; what only some commands need of Node is loaded when they
// do. start.cjs runs the first, with the machine code that V8 has made of it here, in gio-sandbox.VERSION-ARCHITECTURE.cache, if
// it is run by the same Node.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { build } from "esbuild";
import { minified, rarelyNeeded, splitCommand } from "./split-command.js";

/** Modules that take milliseconds to load, with what is used of them. */
const rarelyUsed = new Map([
  ["node:crypto", ["randomBytes", "randomInt"]],
  ["node:worker_threads", ["isMainThread"]],
]);

/** As CommonJS, of which esbuild looks each name up where it is used. */
const loadWhenUsed = {
  name: "load-when-used",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      rarelyUsed.has(path) && namespace !== "when-used" ? { path, namespace: "when-used" } : { path, external: true },
    );
    onLoad({ filter: /.*/, namespace: "when-used" }, ({ path }) => {
      const getters = (rarelyUsed.get(path) ?? []).map((name) => `get ${name}() { return require(${JSON.stringify(path)}).${name}; }`);
      return { contents: `module.exports = { ${getters.join(", ")} };` };
    });
  },
};

/** Runs esbuild with `options` besides. @returns the text of the bundle, and what esbuild tells of it */
async function bundle({ plugins = [], ...options }) {
  const { outputFiles, metafile } = await build({
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "esm",
    charset: "ascii",
    packages: "external",
    define: { "import.meta.url": "importMetaUrl" },
    logOverride: { "import-is-undefined": "error" },
    logLevel: "warning",
    plugins: [...plugins, loadWhenUsed],
    metafile: true,
    write: false,
    ...options,
  });
  return { code: outputFiles[0].text, metafile };
}

const asFile = { format: "cjs", minify: true, banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' } };

const { code, bodies } = await splitCommand({
  entry: "cli/node.ts",
  parts: { rest: [...rarelyNeeded, "node/communicate.ts", "node/flatpak-spawn-backend.ts"] },
  bundle,
  options: { ...asFile, external: ["./gio-sandbox-rest.cjs"] },
  reader: 'const readPart = (_name, shared) => require("./gio-sandbox-rest.cjs")(shared, importMetaUrl);',
  imported: (bound, from) => `const ${bound} = require(${JSON.stringify(from)});`,
});
await writeFile("dist/cli/gio-sandbox.cjs", code);
const rest = `module.exports = ($shared, importMetaUrl) => {\n${bodies.get("rest")}\n};`;
await writeFile("dist/cli/gio-sandbox-rest.cjs", await minified(rest));
await writeFile("dist/cli/start.cjs", (await bundle({ entryPoints: ["src/cli/node-start.ts"], ...asFile })).code);
execFileSync(process.execPath, ["tools/write-code-cache.js", "run", "--", "true"], { stdio: "ignore" });
