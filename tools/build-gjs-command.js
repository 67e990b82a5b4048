// Bundles the gio-sandbox command for GJS into dist/cli, as tools/split-command.js and tools/gjs-bundle.js say:
// node tools/build-gjs-command.js
//
// GJS compiles the whole text of a program each time that it starts: a tenth of a microsecond for each character.
import { writeFile } from "node:fs/promises";
import { bundleForGjs } from "./gjs-bundle.js";
import { minified, rarelyNeeded, splitCommand } from "./split-command.js";

/** What a plain run does not need besides, on GJS. */
const rarelyNeededHere = [
  "gjs/communicate.ts",
  "gjs/fs/directories.ts",
  "gjs/glib-errno.ts",
  "gjs/pipe-ends.ts",
  "gjs/signal-name.ts",
  "node/plain-descriptors.ts",
  "permissions/bus-name.ts",
  "permissions/limit-value.ts",
  "permissions/mount-path.ts",
  "subprocess/errno.ts",
  "subprocess/printable.ts",
];

/** What is needed only when bwrap has been started, and then read while it does its part. */
const neededLater = ["node/after-start.ts", "node/check-end.ts", "node/init-session.ts"];

/**
 * GLib's libraries, Gio without what GJS adds to it for D-Bus, settings and lists: to compile that takes as long as a fifth of our
 * own text, and nothing of it is used here.
 */
const libraries = {
  name: "libraries",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^gi:/ }, ({ path }) => ({ path, namespace: "library" }));
    onLoad({ filter: /.*/, namespace: "library" }, ({ path }) => {
      const { name, version } = library(path);
      return { contents: name === "Gio" ? `${bareGio}\nexport default Gio;` : `export default ${loaded(name, version)}` };
    });
  },
};

const bareGio = `
  const { overrides } = imports;
  const { searchPath } = overrides;
  overrides.searchPath = [];
  const Gio = ${loaded("Gio", "2.0")}
  overrides.searchPath = searchPath;
`;

function library(path) {
  const [, name, version] = /^gi:\/\/(\w+)\?version=([\d.]+)$/.exec(path) ?? [];
  if (name === undefined) throw new Error(`Nothing is known of ${path}`);
  return { name, version };
}

/** An expression, and the end of its statement. */
function loaded(name, version) {
  return `(imports.gi.versions.${name} = ${JSON.stringify(version)}, imports.gi.${name});`;
}

const { code, bodies } = await splitCommand({
  entry: "cli/gjs.ts",
  parts: { later: neededLater, rest: [...rarelyNeeded, ...rarelyNeededHere] },
  // import.meta is for modules only, and the other file is a script
  bundle: ({ isModule = false, plugins, ...options }) =>
    bundleForGjs({ ...options, ...(isModule ? { plugins: [libraries, ...plugins] } : { plugins, metaUrl: "$url" }) }),
  options: { isModule: true, minify: true },
  reader: `
    import { loadScript } from "./gjs/load-script.ts";
    const readPart = (name, shared) => loadScript(import.meta.url, "gjs-" + name).open(shared, import.meta.url);
  `,
  imported: (bound, from) => {
    const { name, version } = library(from);
    return `const ${bound} = ${loaded(name, version)}`;
  },
});
await writeFile("dist/cli/gjs.js", code);
for (const [name, body] of bodies) {
  await writeFile(`dist/cli/gjs-${name}.js`, await minified(`var open = ($shared, $url) => {\n${body}\n};`));
}
