// Bundles the gio-sandbox command for GJS into dist/cli: node tools/build-gjs-command.js
//
// GJS compiles the whole text of a program each time that it starts, a tenth of a microsecond for each character. So gjs.js
// has only what `gio-sandbox run` needs where nothing special is asked for; the modules below, and what they alone need, are in
// gjs-rest.js, which is read when one of their functions is first called. They share what is in gjs.js: each module is there
// once, in one of the two files.
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { transform } from "esbuild";
import { bundleForGjs, source } from "./gjs-bundle.js";

/** Only functions are had of them from outside; esbuild says so if something else is wanted. */
const restModules = [
  "cli/check.ts",
  "cli/explain.ts",
  "cli/help.ts",
  "cli/write-report.ts",
  "confinement/confinement.ts",
  "gjs/communicate.ts",
  "node/bubblewrap-error.ts",
  "node/desktop.ts",
  "node/explain.ts",
  "node/granted-paths.ts",
  "node/host-processes.ts",
  "node/limit-scope.ts",
  "node/portal-backend.ts",
  "node/profiles.ts",
  "node/sandbox-pool.ts",
  "node/sandbox.ts",
  "node/unsandboxed-backend.ts",
  "permissions/permission-file.ts",
  "plan/bubblewrap-unavailable.ts",
  "plan/flatpak-directories.ts",
  "plan/launch-failure.ts",
  "seccomp/compile-policy.ts",
].map((path) => join(source, path));

const entry = join(source, "cli/gjs.ts");

const name = (file) => relative(source, file);

/** In gjs.js: functions of the same names, which have the rest read. */
function standIns(shared) {
  return {
    name: "stand-ins",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\.ts$/, namespace: "file" }, ({ path }) => {
        if (!restModules.includes(path)) return undefined;
        const functions = [...readFileSync(path, "utf8").matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name);
        return {
          contents: [
            'import { rest } from "the rest";',
            ...functions.map((function_) => `export const ${function_} = (...args) => rest(${JSON.stringify(name(path))}).${function_}(...args);`),
          ].join("\n"),
        };
      });
      onResolve({ filter: /^the rest$/ }, ({ path }) => ({ path, namespace: "rest" }));
      onLoad({ filter: /.*/, namespace: "rest" }, () => ({ contents: loader(shared), resolveDir: source }));
    },
  };
}

function loader(shared) {
  const modules = [...shared];
  const local = (module, export_) => `m${module}_${export_}`;
  return [
    'import { loadScript } from "./gjs/load-script.ts";',
    ...modules.map(([file, names], module) => {
      const list = names.map((export_) => `${export_} as ${local(module, export_)}`);
      return `import { ${list.join(", ")} } from ${JSON.stringify(file)};`;
    }),
    "let read;",
    "export function rest(name) {",
    '  read ??= loadScript(import.meta.url, "gjs-rest").open({',
    ...modules.map(([file, names], module) => {
      const list = names.map((export_) => `${export_}: ${local(module, export_)}`);
      return `    ${JSON.stringify(name(file))}: { ${list.join(", ")} },`;
    }),
    "  }, import.meta.url);",
    "  return read[name];",
    "}",
  ].join("\n");
}

/** The text of gjs-rest.js, and what it takes from modules that are in gjs.js: names by file. */
async function bundleRest(shared) {
  const modules = restModules.map((file, index) => `import * as m${index} from ${JSON.stringify(file)};`);
  const table = restModules.map((file, index) => `${JSON.stringify(name(file))}: m${index}`);
  const { code } = await bundleForGjs({
    stdin: { contents: [...modules, `export default { ${table.join(", ")} };`].join("\n"), resolveDir: source },
    plugins: [takenFrom(shared)],
    define: { Promise: "LoopPromise", "import.meta.url": "moduleUrl" },
  });
  const { taken, script } = asScript(code);
  const { code: small } = await transform(script, { minify: true, charset: "utf8" });
  return { taken, script: small };
}

function takenFrom(shared) {
  const isAsked = Symbol("is asked");
  return {
    name: "taken-from-the-other-file",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...more }) => {
        if (pluginData === isAsked || more.kind === "entry-point") return undefined;
        const found = await resolve(path, { ...more, pluginData: isAsked });
        return shared.has(found.path) ? { path: found.path, external: true } : found;
      });
    },
  };
}

/** A module that imports with `import { … } from "…"` and `import … from "gi://…"`, as a script that defines `open()`. */
function asScript(module) {
  const taken = new Map();
  const body = module
    .replaceAll(/^import \{([^}]*)\} from "([^"]*)";$/gm, (_, list, file) => {
      const names = list.split(",").map((part) => part.trim().split(" as "));
      taken.set(file, [...new Set([...(taken.get(file) ?? []), ...names.map(([export_]) => export_)])].sort());
      return `const { ${names.map((part) => part.join(": ")).join(", ")} } = $shared[${JSON.stringify(name(file))}];`;
    })
    .replaceAll(/^import (\w+) from "gi:\/\/(\w+)\?version=([\d.]+)";$/gm, (_, local, namespace, version) =>
      `imports.gi.versions.${namespace} = ${JSON.stringify(version)};\nconst ${local} = imports.gi.${namespace};`)
    // it has been evaluated
    .replaceAll(/^import "[^"]*";$/gm, "")
    .replace(/^export \{\s*(\w+) as default\s*\};$/m, "return $1;");
  if (/^(?:import|export)\b/m.test(body)) throw new Error("A statement of the module was not understood");
  return { taken, script: `var open = ($shared, moduleUrl) => {\n${body}\n};` };
}

let shared = new Map();
for (;;) {
  const { metafile, code } = await bundleForGjs({ entryPoints: [entry], plugins: [standIns(shared)], minify: true });
  const [{ inputs }] = Object.values(metafile.outputs);
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0).map((file) => join(process.cwd(), file));
  const { taken, script } = await bundleRest(new Set(files.filter((file) => !restModules.includes(file))));
  if (isDeepStrictEqual(taken, shared)) {
    await writeFile("dist/cli/gjs.js", code);
    await writeFile("dist/cli/gjs-rest.js", script);
    break;
  }
  // what is taken can need more of what is there
  shared = taken;
}
