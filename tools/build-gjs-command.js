// Bundles the gio-sandbox command for GJS into dist/cli, as tools/split-command.js and tools/gjs-bundle.js say:
// node tools/build-gjs-command.js
//
// GJS compiles the whole text of a program each time that it starts: a tenth of a microsecond for each character.
import { writeFile } from "node:fs/promises";
import { bundleForGjs } from "./gjs-bundle.js";
import { minified, splitCommand } from "./split-command.js";

const { code, rest } = await splitCommand({
  entry: "cli/gjs.ts",
  more: ["gjs/communicate.ts"],
  // import.meta is for modules only, and the other file is a script
  bundle: ({ isModule = false, ...options }) => bundleForGjs({ ...options, ...(isModule ? {} : { metaUrl: "$url" }) }),
  options: { isModule: true, minify: true },
  reader: `
    import { loadScript } from "./gjs/load-script.ts";
    const readRest = (shared) => loadScript(import.meta.url, "gjs-rest").open(shared, import.meta.url);
  `,
  imported: (bound, from) => {
    const [, namespace, version] = /^gi:\/\/(\w+)\?version=([\d.]+)$/.exec(from) ?? [];
    if (namespace === undefined) throw new Error(`Nothing is known of ${from}`);
    return `imports.gi.versions.${namespace} = ${JSON.stringify(version)};\nconst ${bound} = imports.gi.${namespace};`;
  },
});
await writeFile("dist/cli/gjs.js", code);
await writeFile("dist/cli/gjs-rest.js", await minified(`var open = ($shared, $url) => {\n${rest}\n};`));
