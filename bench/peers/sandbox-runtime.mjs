/**
 * The library @anthropic-ai/sandbox-runtime, used as its documentation says: for each line on standard input, /bin/true
 * from the wrapping of the command to its exit, and the milliseconds that it took. The proxies that it needs run already.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const { SandboxManager } = await import("../../build/peers/node_modules/@anthropic-ai/sandbox-runtime/dist/index.js");

await SandboxManager.initialize({
  network: { allowedDomains: [], deniedDomains: [] },
  filesystem: { denyRead: ["/root", "/home"], allowWrite: [], denyWrite: [] },
});

async function launchOnce() {
  const start = process.hrtime.bigint();
  const command = await SandboxManager.wrapWithSandbox("/bin/true");
  const [code] = await once(spawn(command, { shell: true, stdio: "ignore" }), "exit");
  if (code !== 0) throw new Error(`the command ended with ${code}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

const input = createInterface(process.stdin);
input.on("line", async () => console.log(await launchOnce().catch((error) => `failed: ${error.message}`)));
await once(input, "close");
await SandboxManager.reset();
process.exit();
