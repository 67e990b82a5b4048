// Makes several files of the gio-sandbox command.
//
// The first has what `gio-sandbox run` needs where nothing special is asked for. The others are parts of the program that are read
// when one of their functions is first called: at once, as import() would not be. All share what is there: each module is in one of
// the files, the first in this order that needs it.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath, URL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { transform } from "esbuild";

export const source = fileURLToPath(new URL("../src", import.meta.url));

/** What a plain run does not need. Only functions are had of these modules from outside; esbuild says so if something else is wanted. */
export const rarelyNeeded = [
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

/** What the modules call by which a part of the program is read, and what is shared with it. */
const PARTS = "the parts";

/**
 * @param entry below src/
 * @param parts of the program besides the first file, by name: modules that are to be there, of which only functions are had from
 *   files before it
 * @param bundle runs esbuild with options: gives the text of one bundle, an ES module unless `format` says otherwise
 * @param options for the first file alone
 * @param reader the text of a module whose `readPart(name, shared)` gives what the script of that part makes of `shared`
 * @param imported makes a statement of an import that is not from our own modules: what is imported, in braces or a name
 * @returns the text of the first file, and by name those of the parts, each as the body of a function of `$shared`
 */
export async function splitCommand({ entry, parts, bundle, options, reader, imported }) {
  const places = Object.entries(parts).map(([name, modules]) => ({ name, modules: modules.map((path) => join(source, path)) }));
  const modulesFrom = (number) => places.slice(number).flatMap(({ modules }) => modules);
  let shared = new Map();
  for (;;) {
    const taken = new Map();
    const { code, metafile } = await bundle({
      entryPoints: [join(source, entry)],
      plugins: [partReader(shared, reader), standIns(places)],
      ...options,
    });
    const owners = new Map(ownModules(metafile, modulesFrom(0)).map((file) => [file, null]));
    const bodies = new Map();
    for (const [number, { name, modules }] of places.entries()) {
      const { code: text, metafile: meta } = await bundle({
        stdin: { contents: partText(name, modules, shared), resolveDir: source },
        plugins: [takenFrom(owners), standIns(places.slice(number + 1))],
      });
      bodies.set(name, bodyOf(text, owners, taken, imported));
      for (const file of ownModules(meta, modulesFrom(number + 1))) owners.set(file, name);
    }
    if (isDeepStrictEqual(taken, shared)) return { code, bodies };
    // what is taken can need more of what is there
    shared = taken;
  }
}

function name(file) {
  return relative(source, file);
}

/** @param others modules that only have stand-ins there */
function ownModules(metafile, others) {
  const [{ inputs }] = Object.values(metafile.outputs);
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0);
  return files.map((file) => join(process.cwd(), file)).filter((file) => file.startsWith(source) && !others.includes(file));
}

/** For modules of parts: functions of the same names, which have the part read. */
function standIns(places) {
  return {
    name: "stand-ins",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\.ts$/, namespace: "file" }, ({ path }) => {
        const place = places.find(({ modules }) => modules.includes(path));
        if (place === undefined) return undefined;
        // overloads have one name
        const functions = new Set([...readFileSync(path, "utf8").matchAll(/^export (?:async )?function (\w+)/gm)].map(([, own]) => own));
        const module = `part(${JSON.stringify(place.name)})[${JSON.stringify(name(path))}]`;
        const stands = [...functions].map((own) => `export const ${own} = (...args) => ${module}.${own}(...args);`);
        return { contents: [`import { part } from ${JSON.stringify(PARTS)};`, ...stands].join("\n") };
      });
      onResolve({ filter: /^the parts$/ }, ({ path }) => ({ path, external: true }));
    },
  };
}

/** The module of the first file that reads the parts. */
function partReader(shared, reader) {
  return {
    name: "part-reader",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^the parts$/ }, ({ path }) => ({ path, namespace: "parts" }));
      onLoad({ filter: /.*/, namespace: "parts" }, () => ({ contents: readerText(shared, reader), resolveDir: source }));
    },
  };
}

/** @param shared what parts take of modules: by file its owner, null for the first file, and names */
function readerText(shared, reader) {
  const modules = [...shared].map(([file, { owner, names }], number) => {
    const own = (export_) => `m${number}_${export_}`;
    const key = JSON.stringify(name(file));
    if (owner !== null) return { statement: "", property: `get ${key}() { return part(${JSON.stringify(owner)})[${key}]; },` };
    return {
      statement: `import { ${names.map((export_) => `${export_} as ${own(export_)}`).join(", ")} } from ${JSON.stringify(file)};`,
      property: `${key}: { ${names.map((export_) => `${export_}: ${own(export_)}`).join(", ")} },`,
    };
  });
  return [
    reader,
    ...modules.map(({ statement }) => statement),
    "const read = {};",
    "let shared;",
    "export function part(name) {",
    `  shared ??= { ${JSON.stringify(PARTS)}: { part },`,
    ...modules.map(({ property }) => property),
    "  };",
    "  return (read[name] ??= readPart(name, shared));",
    "}",
  ].join("\n");
}

/** The module of which a part is made: its default export has what others take from it, by file. */
function partText(part, modules, shared) {
  const whole = modules.map((file, number) => ({
    statement: `import * as m${number} from ${JSON.stringify(file)};`,
    property: `${JSON.stringify(name(file))}: m${number},`,
  }));
  const taken = [...shared].filter(([file, { owner }]) => owner === part && !modules.includes(file));
  const partial = taken.map(([file, { names }], number) => ({
    statement: `import { ${names.map((export_) => `${export_} as t${number}_${export_}`).join(", ")} } from ${JSON.stringify(file)};`,
    property: `${JSON.stringify(name(file))}: { ${names.map((export_) => `${export_}: t${number}_${export_}`).join(", ")} },`,
  }));
  const all = [...whole, ...partial];
  return [...all.map(({ statement }) => statement), "export default {", ...all.map(({ property }) => property), "};"].join("\n");
}

/** The body of a part's function. What it takes from files before it is noted in `taken`. */
function bodyOf(text, owners, taken, imported) {
  const body = text
    .replaceAll(/^import (\{[^}]*\}|\w+|\* as \w+) from "([^"]*)";$/gm, (_, what, from) => {
      const names = what.startsWith("{") ? what.slice(1, -1).split(",").map((part) => part.trim().split(" as ")) : null;
      const bound = names === null ? what.replace("* as ", "") : `{ ${names.map((part) => part.join(": ")).join(", ")} }`;
      if (from === PARTS) return `const ${bound} = $shared[${JSON.stringify(PARTS)}];`;
      if (!owners.has(from)) return imported(bound, from);
      const others = taken.get(from)?.names ?? [];
      taken.set(from, { owner: owners.get(from), names: [...new Set([...others, ...names.map(([export_]) => export_)])].sort() });
      return `const ${bound} = $shared[${JSON.stringify(name(from))}];`;
    })
    // it has been evaluated
    .replaceAll(/^import "[^"]*";$/gm, "")
    .replace(/^export \{\s*(\w+) as default\s*\};$/m, "return $1;");
  if (/^(?:import|export)\b/m.test(body)) throw new Error("A statement of the module was not understood");
  return body;
}

/** Leaves out what is in files before. */
function takenFrom(owners) {
  const isAsked = Symbol("is asked");
  return {
    name: "taken-from-files-before",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...more }) => {
        if (pluginData === isAsked || more.kind === "entry-point") return undefined;
        const found = await resolve(path, { ...more, pluginData: isAsked });
        return owners.has(found.path) ? { path: found.path, external: true } : found;
      });
    },
  };
}

/** A script without spaces, whose names at its top stay. */
export async function minified(script) {
  const { code } = await transform(script, { minify: true });
  return code;
}
