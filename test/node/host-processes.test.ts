import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { childrenOf, endFirstProcess, findFirstProcess } from "../../src/node/host-processes.js";
import { until } from "./gsubprocess/children.js";

/** Resident, in bytes: its pages take the kernel longer to give back than anything that is looked at here. */
const MEMORY = 300 << 20;

/** As a sandbox's: the last argument of its first process, which the others of its namespace do not have. */
const LABEL = "gio-sandbox-0123456789abcdef";

/** The first process of a pid namespace, which waits for one that has much memory and does nothing. */
function startNamespace(): ReturnType<typeof spawn> {
  const script = `head -c ${MEMORY} /dev/zero | tail -c ${MEMORY} | sleep 1000`;
  const namespace = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
  return spawn("unshare", [...namespace, "sh", "-c", script, "sh", LABEL], { stdio: "ignore" });
}

function status(pid: string, name: string): string {
  try {
    return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** The process that has the memory. */
function findHolder(first: number): string | undefined {
  return childrenOf(first).find((pid) => Number(status(pid, "VmRSS")) * 1024 >= MEMORY);
}

describe("the first process of a sandbox", () => {
  it("has ended only when everything else of its namespace has", async function () {
    this.timeout(60_000);
    const unshare = startNamespace();
    const exited = once(unshare, "exit");
    await until(() => findFirstProcess(LABEL) !== null);
    const first = findFirstProcess(LABEL);
    assert.ok(first !== null);
    await until(() => findHolder(first) !== undefined);
    const holder = findHolder(first) ?? "";
    await endFirstProcess(first, LABEL, 30_000);
    assert.ok(["", "Z", "X"].includes(status(holder, "State")), `it is in state ${status(holder, "State")}`);
    assert.deepEqual(readdirSync("/proc").filter((pid) => status(pid, "PPid") === String(first)), []);
    await exited;
    assert.equal(findFirstProcess(LABEL), null);
  });
});
