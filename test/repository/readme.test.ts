import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../node/gsubprocess/children.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

/** A picture of 4 by 4 points, as PPM: GdkPixbuf looks at what is in a file, not at its name. */
const picture = Buffer.concat([Buffer.from("P6\n4 4\n255\n"), Buffer.alloc(48, 0x7f)]);

describe("the README", () => {
  it("prints the example for Node as it is, and it runs", () => {
    const example = join(root, "examples/convert.mjs");
    assert.ok(readme.includes(`\`\`\`js\n${readFileSync(example, "utf8")}\`\`\``));
    using directory = temporaryDirectory();
    const [input, output] = [join(directory.path, "photo.bmp"), join(directory.path, "photo.png")];
    writeFileSync(input, picture);
    execFileSync(process.execPath, [example, input, output], { cwd: root, stdio: "inherit" });
    assert.equal(readFileSync(output).subarray(1, 4).toString(), "PNG");
  });

  it("prints the example for GJS as it is, and it runs", () => {
    const example = join(root, "examples/convert.gjs.js");
    assert.ok(readme.includes(`\`\`\`js\n${readFileSync(example, "utf8")}\`\`\``));
    using directory = temporaryDirectory();
    const [input, output] = [join(directory.path, "photo.bmp"), join(directory.path, "photo.png")];
    writeFileSync(input, picture);
    execFileSync("gjs", ["-m", example, input, output], { cwd: root, stdio: "inherit" });
    assert.equal(readFileSync(output).subarray(1, 4).toString(), "PNG");
  });

  it("shows a command line that runs", () => {
    const line = /^ {4}(gio-sandbox run --filesystem.* >photo\.png)$/m.exec(readme)?.[1] ?? assert.fail();
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "photo.bmp"), picture);
    const environment = { ...process.env, PATH: `${join(root, "bin")}:${process.env["PATH"] ?? ""}` };
    execFileSync("sh", ["-c", line], { cwd: directory.path, env: environment, stdio: "inherit" });
    assert.equal(readFileSync(join(directory.path, "photo.png")).subarray(1, 4).toString(), "PNG");
  });

  it("names no file that is not there", () => {
    for (const [, path] of readme.matchAll(/\]\(((?!http)[^)]+)\)/g)) readFileSync(join(root, path ?? ""));
  });
});

describe("the demo", () => {
  it("makes thumbnails of a folder, and shows that the sandbox holds", () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "good.ppm"), picture);
    writeFileSync(join(directory.path, "bad.png"), "no picture");
    const demo = spawnSync("npm", ["run", "--silent", "demo", "--", directory.path], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, TMPDIR: directory.path },
    });
    assert.equal(demo.status, 0, demo.stderr);
    assert.match(demo.stdout, /good\.ppm: \d+ bytes/);
    assert.match(demo.stdout, /bad\.png: no thumbnail: /);
    assert.match(demo.stdout, /list your home directory: .*No such file/);
    assert.match(demo.stdout, /reach the network: .*(refused|unreachable)/);
    const page = /1 of 2 thumbnails are on (.*\.html)/.exec(demo.stdout)?.[1] ?? assert.fail(demo.stdout);
    assert.match(readFileSync(page, "utf8"), /data:image\/png;base64,/);
  });
});
