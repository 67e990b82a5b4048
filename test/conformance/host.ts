import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { fixture } from "../node/gsubprocess/children.js";

export const program = fixture("conformance");

/** What of the host the conformance program looks for: it is there while this is. */
export interface Host {
  /** The words that tell the program of it. */
  readonly words: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

const namespaces = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/** Servers on the loopback device, on another address and on an abstract name; System V and POSIX IPC; a process. */
export async function startHost(): Promise<Host> {
  const inet = await listening({ host: "0.0.0.0", port: 0 });
  const inet6 = await listening({ host: "::1", port: 0 });
  const holder = spawn(program, ["hold-host-objects"], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(holder.stdout, "data")) as [Buffer];
  return {
    words: [
      `inet-port=${portOf(inet)}`,
      `inet6-port=${portOf(inet6)}`,
      `own-address=${ownAddress()}:${portOf(inet)}`,
      `host-pid=${holder.pid ?? 0}`,
      ...line.toString().trim().split(" "),
      ...namespaces.map((name) => `ns-${name}=${namespaceNumber(name)}`),
    ],
    async [Symbol.asyncDispose]() {
      for (const server of [inet, inet6]) server.close();
      holder.stdin.end();
      const [status] = (await once(holder, "exit")) as [number];
      assert.equal(status, 0);
    },
  };
}

async function listening(options: { host: string; port: number }): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(options);
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** An address of this machine that is not that of its loopback device: connections to it stay on the machine all the same. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "192.0.2.1";
}

function namespaceNumber(name: string): string {
  return /\[(\d+)\]/.exec(readlinkSync(`/proc/self/ns/${name}`))?.[1] ?? "";
}
