/** The command on GJS and on Node: what the permissions of a desktop come to on each. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { startPrivateBus } from "../node/bus/private-bus.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { requireBuiltModule } from "./built-module.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

function run(runtime: "gjs" | "node", words: readonly string[], variables: Readonly<Record<string, string>>): string {
  const [program, start] = runtime === "gjs" ? ["gjs", ["-m", "dist/cli/gjs.js", "--"]] as const : [execPath, ["dist/cli/node.js"]] as const;
  const { stdout, stderr } = spawnSync(program, [...start, ...words], {
    ...{ cwd: root, encoding: "utf8", timeout: 30_000, stdio: ["ignore", "pipe", "pipe"] },
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", LC_ALL: "C", ...variables },
  });
  assert.equal(stderr, "");
  return stdout;
}

const call = (member: string): string =>
  `gdbus call --session --timeout 5 --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.${member} 2>&1`;

describe("the permissions of a desktop on GJS", function () {
  this.timeout(60_000);
  before(requireBuiltModule);

  it("give a child a bus through xdg-dbus-proxy, which shows it no names that it may not see", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    const variables = { DBUS_SESSION_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path };
    const words = ["run", "--talk-name=org.example.Nobody", "--", "sh", "-c", `${call("GetId")}; ${call("ListNames")}`];
    const output = run("gjs", words, variables);
    assert.match(output, /^\('[0-9a-f]{32}',\)\n\(\['org\.freedesktop\.DBus', ':1\.\d+'\],\)\n$/);
    assert.deepEqual(readdirSync(runtime.path).filter((name) => name !== ".flatpak"), []);
  });

  it("are explained as on Node, word for word", async () => {
    await using bus = await startPrivateBus();
    using runtime = temporaryDirectory();
    const variables = { DBUS_SESSION_BUS_ADDRESS: bus.address, DBUS_SYSTEM_BUS_ADDRESS: bus.address, XDG_RUNTIME_DIR: runtime.path };
    for (const options of [
      [],
      ["--share=network", "--share=ipc", "--device=all", "--filesystem=/srv:ro", "--filesystem=/etc"],
      ["--talk-name=org.example.Nobody", "--system-talk-name=org.example.Other", "--allow=portals"],
      ["--profile=web-content", "--limit=memory=64M", "--limit=processes=9", "--timeout=3s", "--env=A=b"],
    ]) {
      const words = ["explain", "--json", ...options];
      assert.equal(run("gjs", words, variables), run("node", words, variables), options.join(" "));
    }
  });
});
