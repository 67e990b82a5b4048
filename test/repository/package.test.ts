import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("the package", () => {
  it("gives dist/node/index.js for an import of its name, and its types", () => {
    const script = 'console.log(import.meta.resolve("gio-sandbox"))';
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, encoding: "utf8" });
    assert.equal(fileURLToPath(output.trim()), join(root, "dist/node/index.js"));
    assert.ok(existsSync(join(root, "dist/node/index.d.ts")));
  });

  it("exports the same names from its source and its build", async () => {
    const built = (await import("gio-sandbox")) as Record<string, unknown>;
    const source = (await import("../../src/node/index.js")) as Record<string, unknown>;
    assert.deepEqual(Object.keys(built).sort(), Object.keys(source).sort());
  });

  it("is imported without koffi and dbus-next being loaded", () => {
    const script = `
      await import("gio-sandbox");
      const loaded = process.moduleLoadList.concat(Object.keys((await import("node:module")).Module._cache ?? {}));
      console.log(loaded.filter((name) => /koffi|dbus-next/.test(name)).length);
    `;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, encoding: "utf8" });
    assert.equal(output, "0\n");
  });

  it("has a set-up that does nothing and is quick when there is nothing to do", () => {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync("tools/setup", ["test"], { cwd: root, encoding: "utf8" });
    assert.equal(status, 0);
    assert.equal(stdout + stderr, "");
    assert.ok(performance.now() - start < 10_000);
  });
});

describe("the rules of the house", () => {
  async function problems(file: string, code: string): Promise<string[]> {
    const path = join(root, file);
    const eslint = new ESLint({
      cwd: root,
      overrideConfig: { languageOptions: { parserOptions: { project: null, programs: null } } },
      ruleFilter: ({ ruleId }) => ruleId.startsWith("no-restricted"),
    });
    const [result] = await eslint.lintText(code, { filePath: path });
    return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
  }

  it("keep Node, npm and gi:// out of the core", async () => {
    for (const folder of ["permissions", "confinement", "seccomp", "init", "plan", "subprocess"]) {
      for (const source of ["node:fs", "fs", "koffi", "gi://Gio"]) {
        assert.deepEqual(await problems(`src/${folder}/x.ts`, `import x from "${source}"; x();`), ["no-restricted-imports"]);
      }
      assert.deepEqual(await problems(`src/${folder}/x.ts`, "process.exit();"), ["no-restricted-globals"]);
    }
    assert.deepEqual(await problems("src/node/x.ts", 'import x from "node:fs"; x();'), []);
  });

  it("let no part of the core look at a shell, and none but the plan at the plan", async () => {
    for (const shell of ["node", "gjs", "cli"]) {
      assert.deepEqual(await problems("src/plan/x.ts", `import x from "../${shell}/x.js"; x();`), ["no-restricted-imports"]);
    }
    assert.deepEqual(await problems("src/init/x.ts", 'import x from "../plan/x.js"; x();'), ["no-restricted-imports"]);
    assert.deepEqual(await problems("src/plan/x.ts", 'import x from "../init/x.js"; x();'), []);
  });
});

describe("the text of the project", () => {
  it("names no path, host or person of a machine that it was made on", () => {
    const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
    for (const file of files) {
      if (/\.(png|bin)$/.test(file) || file.startsWith("test/native/corpus/")) continue;
      const text = readFileSync(join(root, file), "utf8");
      assert.ok(!/\/work\/(main|wt|shared)|\/root\/\.|registry\.npmjs|deb\.debian\.org/.test(text) || file.includes("package.test"), file);
    }
    assert.ok(files.length > 50);
  });
});

