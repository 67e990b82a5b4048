/** gio-sandbox-init's watch where it is not pid 1, in no sandbox at all: what else runs on this machine is not its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { arch } from "node:process";
import { fileURLToPath } from "node:url";
import type { InitEvent } from "../../src/init/decode.js";
import type { LaunchOrder } from "../../src/init/encode.js";
import { encodeHello, encodeLaunch } from "../../src/init/encode.js";
import { HelloFlag, Step } from "../../src/init/protocol.js";
import { Control } from "../../src/node/control.js";
import { controlSocket } from "../../src/node/control-socket.js";
import { DescriptorScope } from "../../src/node/descriptor-scope.js";
import { fixture } from "../node/gsubprocess/children.js";
import { smallest } from "../init/samples.js";

const init = fileURLToPath(
  new URL(`../../dist/native/${arch === "arm64" ? "aarch64" : "x86_64"}/gio-sandbox-init`, import.meta.url),
);

async function eventsOf(order: Partial<LaunchOrder>, program = init): Promise<InitEvent[]> {
  using scope = new DescriptorScope();
  const [ours, theirs] = scope.socketPair();
  const events: InitEvent[] = [];
  const process = spawn(program, ["3"], { stdio: ["ignore", "ignore", "inherit", theirs], env: {} });
  const control = new Control(controlSocket(scope.release(ours)), { onEvent: (event) => events.push(event), onEnd: () => undefined });
  const hello = encodeHello(HelloFlag.NOT_PID_1 | HelloFlag.SINGLE_USE);
  control.write(Buffer.concat([hello, encodeLaunch({ ...smallest, timeoutMilliseconds: 12_000, ...order })]));
  await once(process, "exit");
  await new Promise((resolve) => setTimeout(resolve, 50));
  return events;
}

function ends(events: readonly InitEvent[]): unknown[] {
  return events.flatMap((event) => (event.type === "exited" ? [[event.exceeded, event.status]] : []));
}

const bombs = fixture("bombs");
const memoryBytes = 64 * 1024 * 1024;

describe("the watch where init is not the first process", () => {
  it("counts memory of what it started, and ends nobody else", async () => {
    const bystander = spawn("sleep", ["60"], { stdio: "ignore" });
    try {
      const watch = { memoryBytes, processes: null, hasOwnIpc: false };
      for (const bomb of ["allocate", "allocate-together", "memory-files"]) {
        assert.deepEqual(ends(await eventsOf({ argv: [bombs, bomb], watch })), [["memory", 9]], bomb);
      }
      assert.deepEqual([bystander.exitCode, bystander.signalCode], [null, null]);
    } finally {
      bystander.kill("SIGKILL");
    }
  });

  it("counts processes of what it started, not those of the machine", async () => {
    const order = { argv: [bombs, "share-memory"] };
    const watch = (processes: number) => ({ memoryBytes, processes, hasOwnIpc: false });
    assert.deepEqual(ends(await eventsOf({ ...order, watch: watch(9) })), [[null, 0]]);
    assert.deepEqual(ends(await eventsOf({ ...order, watch: watch(5) })), [["processes", 9]]);
  });

  it("says what it cannot watch, and starts nothing then", async () => {
    const events = await eventsOf({ argv: ["/bin/true"], tmpfs: ["/usr"] });
    const [failure] = events.filter(({ type }) => type === "failed");
    assert.ok(failure?.type === "failed");
    assert.deepEqual([failure.step, failure.errno, failure.detail], [Step.WATCH, 22, 0]);
  });
});
