// Makes two files of the gio-sandbox command.
//
// One has what `gio-sandbox run` needs where nothing special is asked for. The modules below, and what they alone need, are in the
// other, which is read when one of their functions is first called: at once, as import() would not be. The two share what is in
// the first: each module is there once, in one of them.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { transform } from "esbuild";

export const source = fileURLToPath(new URL("../src", import.meta.url));

/** Only functions are had of them from outside; esbuild says so if something else is wanted. */
const restModules = [
  "cli/check.ts",
  "cli/explain.ts",
  "cli/help.ts",
  "cli/write-report.ts",
  "confinement/confinement.ts",
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
  "node/subprocess.ts",
  "node/unsandboxed-backend.ts",
  "permissions/permission-file.ts",
  "plan/bubblewrap-unavailable.ts",
  "plan/flatpak-directories.ts",
  "plan/launch-failure.ts",
  "seccomp/compile-policy.ts",
];

/**
 * @param entry below src/
 * @param more of what goes into the other file: modules of this runtime
 * @param bundle runs esbuild with options: gives the text of one bundle, an ES module unless `format` says otherwise
 * @param options for the first file alone
 * @param reader the text of a module whose `readRest(shared)` gives what the script of the other file makes of `shared`
 * @param imported makes a statement of an import that is not from our own modules: what is imported, in braces or a name
 * @returns the texts of both files; the other one as the body of a function of `$shared`
 */
export async function splitCommand({ entry, more, bundle, options, reader, imported }) {
  const modules = [...restModules, ...more].map((path) => join(source, path));
  let shared = new Map();
  for (;;) {
    const { code, metafile } = await bundle({ entryPoints: [join(source, entry)], plugins: [standIns(modules, shared, reader)], ...options });
    const { taken, body } = await restOf(modules, ownModules(metafile, modules), bundle, imported);
    if (isDeepStrictEqual(taken, shared)) return { code, rest: body };
    // what is taken can need more of what is there
    shared = taken;
  }
}

function name(file) {
  return relative(source, file);
}

function ownModules(metafile, modules) {
  const [{ inputs }] = Object.values(metafile.outputs);
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0);
  return new Set(files.map((file) => join(process.cwd(), file)).filter((file) => !modules.includes(file)));
}

/** In the first file: functions of the same names, which have the other read. */
function standIns(modules, shared, reader) {
  return {
    name: "stand-ins",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\.ts$/, namespace: "file" }, ({ path }) => {
        if (!modules.includes(path)) return undefined;
        const functions = [...readFileSync(path, "utf8").matchAll(/^export (?:async )?function (\w+)/gm)].map(([, own]) => own);
        const stands = functions.map((own) => `export const ${own} = (...args) => rest(${JSON.stringify(name(path))}).${own}(...args);`);
        return { contents: ['import { rest } from "the rest";', ...stands].join("\n") };
      });
      onResolve({ filter: /^the rest$/ }, ({ path }) => ({ path, namespace: "rest" }));
      onLoad({ filter: /.*/, namespace: "rest" }, () => ({ contents: restText(shared, reader), resolveDir: source }));
    },
  };
}

function restText(shared, reader) {
  const modules = [...shared].map(([file, names], number) => {
    const own = (export_) => `m${number}_${export_}`;
    return {
      statement: `import { ${names.map((export_) => `${export_} as ${own(export_)}`).join(", ")} } from ${JSON.stringify(file)};`,
      property: `${JSON.stringify(name(file))}: { ${names.map((export_) => `${export_}: ${own(export_)}`).join(", ")} },`,
    };
  });
  return [
    reader,
    ...modules.map(({ statement }) => statement),
    "let read;",
    "export function rest(name) {",
    "  read ??= readRest({",
    ...modules.map(({ property }) => property),
    "  });",
    "  return read[name];",
    "}",
  ].join("\n");
}

/** The body of the other file's function, and what it takes from modules of the first: names by file. */
async function restOf(modules, own, bundle, imported) {
  const imports = modules.map((file, number) => `import * as m${number} from ${JSON.stringify(file)};`);
  const table = modules.map((file, number) => `${JSON.stringify(name(file))}: m${number}`);
  const { code } = await bundle({
    stdin: { contents: [...imports, `export default { ${table.join(", ")} };`].join("\n"), resolveDir: source },
    plugins: [takenFrom(own)],
  });
  const taken = new Map();
  const body = code
    .replaceAll(/^import (\{[^}]*\}|\w+|\* as \w+) from "([^"]*)";$/gm, (_, what, from) => {
      const names = what.startsWith("{") ? what.slice(1, -1).split(",").map((part) => part.trim().split(" as ")) : null;
      const bound = names === null ? what.replace("* as ", "") : `{ ${names.map((part) => part.join(": ")).join(", ")} }`;
      if (!own.has(from)) return imported(bound, from);
      const others = taken.get(from) ?? [];
      taken.set(from, [...new Set([...others, ...names.map(([export_]) => export_)])].sort());
      return `const ${bound} = $shared[${JSON.stringify(name(from))}];`;
    })
    // it has been evaluated
    .replaceAll(/^import "[^"]*";$/gm, "")
    .replace(/^export \{\s*(\w+) as default\s*\};$/m, "return $1;");
  if (/^(?:import|export)\b/m.test(body)) throw new Error("A statement of the module was not understood");
  return { taken, body };
}

function takenFrom(own) {
  const isAsked = Symbol("is asked");
  return {
    name: "taken-from-the-other-file",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...more }) => {
        if (pluginData === isAsked || more.kind === "entry-point") return undefined;
        const found = await resolve(path, { ...more, pluginData: isAsked });
        return own.has(found.path) ? { path: found.path, external: true } : found;
      });
    },
  };
}

/** A script without spaces, whose names at its top stay. */
export async function minified(script) {
  const { code } = await transform(script, { minify: true });
  return code;
}
