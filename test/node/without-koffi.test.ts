import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { Backend, ErrorDomain, SandboxError } from "../../src/node/index.js";
import { temporaryDirectory } from "./gsubprocess/children.js";

const project = fileURLToPath(new URL("../..", import.meta.url));
const inFixtures = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

function launch(backend: Backend): string[] {
  return [execPath, "--import=tsx", `--import=${inFixtures("without-koffi.ts")}`, inFixtures("print-launch-error.ts"), backend];
}

function output([program = "", ...args]: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8", cwd: project, env: { PATH: env["PATH"] } });
  assert.equal(status, 0, stderr);
  return stdout;
}

describe("a launch without koffi", function () {
  this.timeout(30_000);

  for (const backend of [Backend.AUTO, Backend.BUBBLEWRAP, Backend.NONE]) {
    it(`is an error that names it, outside a Flatpak, with the backend ${backend}`, () => {
      const [domain, code, ...message] = output(launch(backend)).split(" ");
      assert.deepEqual([domain, code], [ErrorDomain.SANDBOX, String(SandboxError.NOT_AVAILABLE)]);
      assert.match(message.join(" "), /^No sandbox is available: the npm package koffi could not be loaded.* Install koffi\.$/m);
    });
  }

  it("is all the same to the command, which has it loaded only for what cannot be done without", () => {
    const program = "read -r line; echo $line; ls /proc/self/fd | wc -l; exit 3";
    const command = ["run", "--", "sh", "-c", program];
    const node = [`--import=tsx`, `--import=${inFixtures("without-koffi.ts")}`, "dist/cli/start.cjs"];
    const { stdout, stderr, status } = spawnSync(execPath, [...node, ...command], { encoding: "utf8", cwd: project, input: "hello\n" });
    assert.deepEqual({ stdout, stderr, status }, { stdout: "hello\n4\n", stderr: "", status: 3 });
  });

  it("is an error that names flatpak-spawn too, in a Flatpak that has none", function () {
    if (existsSync("/usr/bin/flatpak-spawn")) this.skip();
    using directory = temporaryDirectory();
    // what says that this is a Flatpak, in a root directory that has everything else of the host's
    const info = join(directory.path, "flatpak-info");
    writeFileSync(info, "[Application]\nname=org.example.App\n[Instance]\ninstance-id=1\n");
    const places = readdirSync("/").flatMap((name) => {
      const stats = lstatSync(`/${name}`);
      if (stats.isSymbolicLink()) return ["--symlink", readlinkSync(`/${name}`), `/${name}`];
      return stats.isDirectory() ? ["--bind", `/${name}`, `/${name}`] : [];
    });
    const bwrap = ["bwrap", ...places, "--dev-bind", "/dev", "/dev", "--ro-bind", info, "/.flatpak-info", "--chdir", project];
    const said = output([...bwrap, "--", ...launch(Backend.AUTO)]);
    assert.match(said, new RegExp(`^${ErrorDomain.SANDBOX} ${SandboxError.NOT_AVAILABLE} `));
    assert.match(said, /koffi could not be loaded, and \/usr\/bin\/flatpak-spawn, .* is not there\. Install koffi\.$/m);
  });
});
