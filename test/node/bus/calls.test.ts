import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { connectToBus } from "../../../src/node/bus/bus.js";
import { BusError } from "../../../src/node/bus/bus-error.js";
import { variant } from "../../../src/node/bus/message-writer.js";
import { GLibError, IOErrorEnum } from "../../../src/subprocess/glib-error.js";
import type { PrivateBus } from "./private-bus.js";
import { descriptorService, startDescriptorService, startPrivateBus } from "./private-bus.js";

const busItself = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
} as const;

function isIOError(code: keyof typeof IOErrorEnum, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof GLibError && error.matches("g-io-error-quark", IOErrorEnum[code])
    && words.test(error.message);
}

describe("a call on a bus", () => {
  let bus: PrivateBus;
  let service: AsyncDisposable;
  before(async () => {
    bus = await startPrivateBus();
    service = await startDescriptorService(bus);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
  });

  it("gives the body of the reply", async () => {
    using client = await connectToBus(bus.address);
    const [names] = await client.call({ ...busItself, member: "ListNames" });
    assert.ok(Array.isArray(names) && names.includes(client.name) && names.includes(descriptorService.destination));
  });

  const values: readonly [string, unknown, unknown?][] = [
    ["s", "héllo"],
    ["b", true],
    ["y", 255],
    ["i", -5],
    ["u", 4_294_967_295],
    ["t", 18_446_744_073_709_551_615n],
    ["d", 1.5],
    ["as", ["a", "b"]],
    ["ay", Buffer.from([1, 2, 0])],
    ["ay", new Uint8Array([1, 2, 0]), Buffer.from([1, 2, 0])],
    ["aay", [Buffer.from("a\0"), Buffer.from("b\0")]],
    ["(sai)", ["x", [1, -2]]],
    ["a{ss}", { a: "b" }],
    ["a{ss}", new Map([["a", "b"]]), { a: "b" }],
    ["a{us}", new Map([[7, "seven"]]), { 7: "seven" }],
    ["a{us}", { 7: "seven" }],
    ["a{xs}", { "-7": "seven" }],
    ["a{ua{is}}", { 1: { "-2": "x" } }],
    ["a{uas}", new Map(), {}],
  ];
  for (const [signature, value, expected = value] of values) {
    it(`carries ${signature} from ${value instanceof Map ? "a Map" : typeof value} there and back`, async () => {
      using client = await connectToBus(bus.address);
      const body = [variant(signature, value)];
      const [echo] = await client.call({ ...descriptorService, member: "Echo", signature: "v", body });
      assert.deepEqual({ ...(echo as object) }, { signature, value: expected });
    });
  }

  it("carries a megabyte there and back", async () => {
    using client = await connectToBus(bus.address);
    const body = [variant("ay", Buffer.alloc(1 << 20, 7))];
    const [echo] = await client.call({ ...descriptorService, member: "Echo", signature: "v", body });
    assert.ok((echo as { value: Buffer }).value.equals(Buffer.alloc(1 << 20, 7)));
  });

  it("keeps many replies apart", async () => {
    using client = await connectToBus(bus.address);
    // dbus-daemon allows a connection 128 replies that have not come yet (max_replies_per_connection)
    const numbers = Array.from({ length: 120 }, (_, index) => index);
    const replies = await Promise.all(
      numbers.map((number) =>
        client.call({ ...descriptorService, member: "Echo", signature: "v", body: [variant("u", number)] }),
      ),
    );
    assert.deepEqual(replies.map(([echo]) => (echo as { value: number }).value), numbers);
  });

  it("with a body that is not of its signature is a TypeError, and the connection goes on", async () => {
    using client = await connectToBus(bus.address);
    const wrong: readonly [string, readonly unknown[]][] = [
      ["s", [1]],
      ["s", []],
      ["a{us}", [[]]],
      ["a{us}", [{ x: "y" }]],
      ["as", ["x"]],
      ["(ss)", [["only one"]]],
      ["v", ["bare"]],
      ["v", [variant("ss", "two types")]],
      ["u", [null]],
      ["h", [undefined]],
    ];
    for (const [signature, body] of wrong) {
      const call = client.call({ ...descriptorService, member: "Echo", signature, body });
      await assert.rejects(call, TypeError, signature);
    }
    assert.ok(await client.call({ ...busItself, member: "GetId" }));
  });

  it("that ends in an error of the peer's tells its name and its words, escaped", async () => {
    using client = await connectToBus(bus.address);
    await assert.rejects(
      client.call({ ...descriptorService, member: "Fail" }),
      (error) => error instanceof BusError && error.matches("g-io-error-quark", IOErrorEnum.DBUS_ERROR)
        && error.remoteName === "org.example.Error.Bad"
        && error.message === "GDBus.Error:org.example.Error.Bad: bad\\u{1b}[31m luck",
    );
  });

  it("to nobody says that nobody is there", async () => {
    using client = await connectToBus(bus.address);
    await assert.rejects(
      client.call({ ...descriptorService, destination: "org.example.Nobody", member: "Fail" }),
      (error) => error instanceof BusError && error.remoteName === "org.freedesktop.DBus.Error.ServiceUnknown",
    );
  });

  it("whose reply never comes ends after its timeout", async () => {
    using client = await connectToBus(bus.address);
    await assert.rejects(
      client.call({ ...descriptorService, member: "WaitForEver", timeout: 50 }),
      isIOError("TIMED_OUT", /No reply to org\.example\.Descriptors\.WaitForEver within 50 ms/),
    );
    assert.ok(await client.call({ ...busItself, member: "GetId" }));
  });

  it("can be cancelled, before and after it is sent", async () => {
    using client = await connectToBus(bus.address);
    const abort = new AbortController();
    const call = client.call({ ...descriptorService, member: "WaitForEver", signal: abort.signal });
    abort.abort();
    await assert.rejects(call, isIOError("CANCELLED", /was cancelled/));
    await assert.rejects(
      client.call({ ...busItself, member: "GetId", signal: abort.signal }),
      isIOError("CANCELLED", /was cancelled/),
    );
  });

  it("is rejected when the bus dies while it is open", async () => {
    await using mortal = await startPrivateBus();
    await using _waiting = await startDescriptorService(mortal);
    const client = await connectToBus(mortal.address);
    const call = client.call({ ...descriptorService, member: "WaitForEver", timeout: Infinity });
    await client.call({ ...busItself, member: "GetId" });
    await mortal.kill();
    await assert.rejects(call, isIOError("CLOSED", /The bus closed the connection|The connection to the bus broke/));
    assert.ok((await client.closed) instanceof GLibError);
  });

  it("is rejected when the connection is closed here while it is open", async () => {
    const client = await connectToBus(bus.address);
    const call = client.call({ ...descriptorService, member: "WaitForEver" });
    client.close();
    await assert.rejects(call, isIOError("CLOSED", /was closed/));
    assert.equal(await client.closed, null);
  });

  it("on a closed connection is rejected", async () => {
    const client = await connectToBus(bus.address);
    client.close();
    await client.closed;
    await assert.rejects(client.call({ ...busItself, member: "GetId" }), isIOError("CLOSED", /is closed/));
  });

  it("to us is refused: we are a client", async () => {
    using client = await connectToBus(bus.address);
    using other = await connectToBus(bus.address);
    const call = other.call({ ...descriptorService, destination: client.name, member: "Anything" });
    await assert.rejects(
      call,
      (error) => error instanceof BusError && error.remoteName === "org.freedesktop.DBus.Error.UnknownMethod",
    );
  });

  it("gets a reply although a descriptor comes with it, which is not taken", async () => {
    using client = await connectToBus(bus.address);
    assert.deepEqual(await client.call({ ...descriptorService, member: "GiveDescriptor" }), [undefined, "beside it"]);
    assert.ok(await client.call({ ...busItself, member: "GetId" }));
  });
});

describe("a process with a connection to a bus", () => {
  const program = join(import.meta.dirname, "fixtures/linger.ts");
  const linger = (address: string, mode: string): { status: number | null; stdout: string; signal: string | null } =>
    spawnSync(process.execPath, ["--import", "tsx", program, address, mode], { encoding: "utf8", timeout: 1500 });

  it("ends when the connection is unref'd, but not before an open call has its reply", async () => {
    await using bus = await startPrivateBus();
    const { status, stdout } = linger(bus.address, "unref");
    assert.deepEqual([status, stdout], [0, "connected\nreplied\n"]);
  });

  it("lives on as long as the connection is not", async () => {
    await using bus = await startPrivateBus();
    const { signal, stdout } = linger(bus.address, "ref");
    assert.deepEqual([signal, stdout], ["SIGTERM", "connected\nreplied\n"]);
  });
});
