import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { env, execPath } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The lines that a program prints, which must succeed in silence otherwise.
 *
 * @param variables what it has besides ours
 */
export function lines(program: string, words: readonly string[], variables: Readonly<Record<string, string>> = {}): string[] {
  const options = { cwd: root, encoding: "utf8", timeout: 60_000, env: { ...env, ...variables } } as const;
  const { status, stdout, stderr, error } = spawnSync(program, words, options);
  assert.ifError(error);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return stdout.split("\n").slice(0, -1);
}

/** Bundles a script of this folder for GJS. @returns where it is */
export function bundled(name: string, output = `build/test-gjs/${name}.js`): string {
  lines(execPath, ["tools/build-gjs.js", `test/gjs/${name}.ts`, output]);
  return output;
}

/** What a script of this folder prints in Node. */
export function inNode(name: string, variables: Readonly<Record<string, string>> = {}): string[] {
  return lines(execPath, ["--import", "tsx", `test/gjs/${name}.ts`], variables);
}

/** What it prints in GJS. */
export function inGjs(name: string, variables: Readonly<Record<string, string>> = {}): string[] {
  return lines("gjs", ["-m", "test/gjs/run-bundle.js", bundled(name)], variables);
}

/** What it prints in either. */
export function inBoth(name: string): { readonly node: string[]; readonly gjs: string[] } {
  return { node: inNode(name), gjs: inGjs(name) };
}
