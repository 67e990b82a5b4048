// Bundles the gio-sandbox command for Node into dist/cli: node tools/build-command.js
//
// gio-sandbox.cjs is all of it, one CommonJS file, since Node takes longer to find and link many modules, and longer to begin
// with ES modules; what only some commands need of Node is loaded when they do. start.cjs runs it, with the machine code that
// V8 has made of it here, in gio-sandbox.VERSION-ARCHITECTURE.cache, if it is run by the same Node.
import { execFileSync } from "node:child_process";
import process from "node:process";
import { build } from "esbuild";

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

function bundle(entry, output) {
  return build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "cjs",
    charset: "ascii",
    packages: "external",
    define: { "import.meta.url": "importMetaUrl" },
    banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
    minify: true,
    plugins: [loadWhenUsed],
    logLevel: "warning",
  });
}

await bundle("src/cli/node.ts", "dist/cli/gio-sandbox.cjs");
await bundle("src/cli/node-start.ts", "dist/cli/start.cjs");
execFileSync(process.execPath, ["tools/write-code-cache.js", "run", "--", "true"], { stdio: "ignore" });
