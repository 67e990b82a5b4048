import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../node/gsubprocess/children.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("the files of the gio-sandbox command", () => {
  for (const runtime of ["node", "gjs"]) {
    describe(`for ${runtime}`, function () {
      this.timeout(30_000);
      const prefix = temporaryDirectory();
      before(() => {
        execFileSync(join(root, "tools/install"), ["--prefix", prefix.path, "--runtime", runtime], { stdio: ["ignore", "ignore", "pipe"] });
        const directory = join(prefix.path, "lib/gio-sandbox/dist/cli");
        const rest = readdirSync(directory).filter((name) => /-rest\.c?js$/.test(name));
        assert.deepEqual(rest.length, 2, "one for each runtime");
        for (const name of rest) rmSync(join(directory, name));
      });
      after(() => prefix[Symbol.dispose]());

      const gioSandbox = (...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => {
        const command = join(prefix.path, "bin/gio-sandbox");
        return spawnSync(command, args, { input: "in", encoding: "utf8", timeout: 10_000, killSignal: "SIGKILL" });
      };

      it("are all but the last enough for a plain run", () => {
        const { status, stdout, stderr } = gioSandbox("run", "--", "sh", "-c", "cat; echo err >&2; exit 7");
        assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: "in", stderr: "err\n" });
      });

      it("are missed in words by what needs the others, which ends all the same", () => {
        for (const args of [["check"], ["run", "--", "no-such-command"], ["--help"]]) {
          const { status, stdout, stderr } = gioSandbox(...args);
          assert.equal(status, 125, args.join(" "));
          assert.equal(stdout, "");
          assert.match(stderr, /^gio-sandbox: .*-rest/m);
        }
      });
    });
  }
});
