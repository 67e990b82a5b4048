import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseBusAddress } from "../../../src/node/bus/address.js";
import type { Bus } from "../../../src/node/bus/bus.js";
import { connectToBus } from "../../../src/node/bus/bus.js";
import { openConnection } from "../../../src/node/bus/connection.js";
import { GLibError, IOErrorEnum, SandboxError } from "../../../src/subprocess/glib-error.js";
import type { PrivateBus } from "./private-bus.js";
import { descriptorService, startDescriptorService, startPrivateBus } from "./private-bus.js";

const busItself = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
} as const;

describe("a message with descriptors", () => {
  let bus: PrivateBus;
  let service: AsyncDisposable & { readonly process: ChildProcess };
  let client: Bus;
  before(async () => {
    bus = await startPrivateBus();
    service = await startDescriptorService(bus);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    client = await connectToBus(bus.address);
  });
  afterEach(() => {
    client.close();
  });

  function open(text: string): number {
    const path = join(bus.directory, "text");
    writeFileSync(path, text);
    const descriptor = openSync(path, "r");
    rmSync(path);
    return descriptor;
  }

  function openMany(count: number): number[] {
    return Array.from({ length: count }, (_, index) => open(`file ${index}`));
  }

  /** What the service read from each. */
  async function read(descriptors: ReadonlyMap<number, number> | Record<string, number>): Promise<unknown> {
    const [texts] = await client.call({
      ...descriptorService,
      member: "Read",
      signature: "a{uh}",
      body: [descriptors],
    });
    return texts;
  }

  async function stillWorks(): Promise<void> {
    assert.ok(await client.call({ ...busItself, member: "GetId" }));
  }

  it("brings each to its key in a dictionary of integers, from a Map or an object", async () => {
    const [first, second] = [open("one"), open("two")];
    assert.deepEqual(await read(new Map([[0, first], [103, second]])), { 0: "one", 103: "two" });
    const [third, fourth] = [open("three"), open("four")];
    assert.deepEqual(await read({ 2: third, 1: fourth }), { 1: "four", 2: "three" });
    for (const descriptor of [first, second, third, fourth]) closeSync(descriptor);
  });

  it("leaves them to the caller, who may close them while the reply is awaited", async () => {
    const descriptor = open("text");
    const reply = read({ 0: descriptor });
    closeSync(descriptor);
    assert.deepEqual(await reply, { 0: "text" });
  });

  it("carries 16", async () => {
    const descriptors = openMany(16);
    const texts = (await read(new Map(descriptors.map((descriptor, index) => [index, descriptor])))) as object;
    assert.deepEqual(Object.values(texts), descriptors.map((_, index) => `file ${index}`));
    for (const descriptor of descriptors) closeSync(descriptor);
  });

  it("is refused with 17, and the connection goes on", async () => {
    const descriptors = openMany(17);
    await assert.rejects(
      read(new Map(descriptors.map((descriptor, index) => [index, descriptor]))),
      (error) => error instanceof GLibError && error.matches("gio-sandbox-error-quark", SandboxError.LIMIT_EXCEEDED)
        && error.message.includes('at most 16 descriptors, not 17'),
    );
    for (const descriptor of descriptors) closeSync(descriptor);
    await stillWorks();
  });

  it("is refused with a descriptor that is closed or negative, and the connection goes on", async () => {
    const closed = open("");
    closeSync(closed);
    for (const descriptor of [closed, 1_000_000]) {
      await assert.rejects(
        read({ 0: descriptor }),
        (error) => error instanceof GLibError && error.matches("g-io-error-quark", IOErrorEnum.INVALID_ARGUMENT)
          && error.message === `The descriptor ${descriptor} is not open`,
      );
    }
    await assert.rejects(read({ 0: -1 }), /-1/);
    await stillWorks();
  });

  it("arrives whole and in order although the socket was full", async () => {
    const echo = { ...descriptorService, member: "Echo", signature: "v" };
    const body = [{ signature: "ay", value: Buffer.alloc(100_000) }];
    bus.daemon.kill("SIGSTOP");
    await stopped(bus.daemon.pid ?? 0);
    const before = Array.from({ length: 20 }, () => client.call({ ...echo, body }));
    const descriptors = [open("late"), open("later"), open("last")];
    const reads = descriptors.map((descriptor) => read({ 5: descriptor }));
    const after = client.call({ ...echo, body });
    for (const descriptor of descriptors) closeSync(descriptor);
    // whoever opens a file now gets the same numbers
    const others = openMany(3);
    await delay(50);
    bus.daemon.kill("SIGCONT");
    assert.deepEqual(await Promise.all(reads), [{ 5: "late" }, { 5: "later" }, { 5: "last" }]);
    await Promise.all([...before, after]);
    for (const descriptor of others) closeSync(descriptor);
  });

  it("is sent although the socket is full to the last byte, when nothing waits in the stream", async () => {
    bus.daemon.kill("SIGSTOP");
    await stopped(bus.daemon.pid ?? 0);
    const descriptors = openMany(16);
    const map = new Map(descriptors.map((descriptor, index) => [index, descriptor]));
    // each goes by sendmsg() as long as there is room, and the first that does not fit waits with its descriptors
    const reads = Array.from({ length: 40 }, () => read(map));
    await delay(50);
    bus.daemon.kill("SIGCONT");
    for (const texts of await Promise.allSettled(reads)) assert.equal(texts.status, "fulfilled");
    for (const descriptor of descriptors) closeSync(descriptor);
    await stillWorks();
  });

  it("leaves no duplicate open, sent or not", async () => {
    const count = (): number => readdirSync("/proc/self/fd").length;
    const descriptor = open("text");
    const before = count();
    const doomed = await connectToBus(bus.address);
    bus.daemon.kill("SIGSTOP");
    await stopped(bus.daemon.pid ?? 0);
    const body = [{ signature: "ay", value: Buffer.alloc(1_000_000) }];
    const calls = [
      doomed.call({ ...descriptorService, member: "Echo", signature: "v", body }),
      ...Array.from({ length: 10 }, () =>
        doomed.call({ ...descriptorService, member: "Read", signature: "a{uh}", body: [{ 0: descriptor }] })),
    ];
    const settled = Promise.allSettled(calls);
    assert.equal(count(), before + 1 + 10, "the connection, and a duplicate for each message that waits");
    doomed.close();
    await settled;
    await doomed.closed;
    assert.equal(count(), before);
    bus.daemon.kill("SIGCONT");
    closeSync(descriptor);
  });

  it("is refused when the bus does not take descriptors", async () => {
    const path = join(bus.directory, "old");
    await using server = createServer((socket) => {
      const answers = ["DATA", `OK ${"0".repeat(32)}`, "ERROR", null];
      socket.on("error", () => undefined);
      socket.on("data", () => {
        const answer = answers.shift() ?? null;
        if (answer !== null) socket.write(`${answer}\r\n`);
      });
    }).listen(path);
    await once(server, "listening");
    const connection = await openConnection(parseBusAddress(`unix:path=${path}`), null);
    const call = { ...descriptorService, type: 1, serial: 1, member: "Read", signature: "h", body: [0] };
    try {
      assert.throws(
        () => connection.message(call),
        (error) => error instanceof GLibError && error.matches("gio-sandbox-error-quark", SandboxError.NOT_AVAILABLE),
      );
    } finally {
      connection.end();
    }
  });
});

describe("a child process", () => {
  it("does not inherit the connection to the bus", async () => {
    await using bus = await startPrivateBus();
    const before = socketsOfChild();
    using client = await connectToBus(bus.address);
    assert.ok(client.name);
    assert.deepEqual(socketsOfChild(), before);
  });
});

function socketsOfChild(): string[] {
  const { stdout } = spawnSync("sh", ["-c", "for fd in /proc/self/fd/*; do echo $fd $(readlink $fd); done"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  // its standard output is a socket too
  return stdout.split("\n").filter((line) => line.includes("socket:") && !line.startsWith("/proc/self/fd/1 "));
}

async function stopped(pid: number): Promise<void> {
  while (!/^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) await delay(5);
}
