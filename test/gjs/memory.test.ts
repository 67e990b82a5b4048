/** What is left of launches in a program that goes on. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { builtModule, requireBuiltModule } from "./built-module.js";

const script = fileURLToPath(new URL("launch-many.js", import.meta.url));

interface Measurement {
  readonly kibibytes: number;
  readonly descriptors: number;
  readonly children: number;
}

interface Measurements {
  readonly start: Measurement;
  readonly end: Measurement;
}

const LAUNCHES = 1000;
const MOST_KIBIBYTES = 20 * 1024;

describe("a thousand launches in one program of GJS", function () {
  this.timeout(300_000);
  before(requireBuiltModule);

  for (const form of ["blocking", "promise"]) {
    it(`leave less than 20 MiB, no descriptor and no process: ${form}`, async () => {
      const { stdout } = await promisify(execFile)("gjs", ["-m", script, builtModule, String(LAUNCHES), form]);
      const { start, end } = JSON.parse(stdout) as Measurements;
      const grown = end.kibibytes - start.kibibytes;
      assert.ok(grown < MOST_KIBIBYTES, `${start.kibibytes} KiB became ${end.kibibytes}`);
      assert.ok(end.descriptors <= start.descriptors, `${start.descriptors} descriptors became ${end.descriptors}`);
      assert.equal(end.children, start.children);
    });
  }
});
