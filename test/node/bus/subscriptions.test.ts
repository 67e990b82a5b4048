import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { parseBusAddress } from "../../../src/node/bus/address.js";
import type { Bus, BusSignal } from "../../../src/node/bus/bus.js";
import { connectToBus } from "../../../src/node/bus/bus.js";
import { openConnection } from "../../../src/node/bus/connection.js";
import { matchRuleText } from "../../../src/node/bus/match-rule.js";
import type { PrivateBus } from "./private-bus.js";
import { descriptorService, startDescriptorService, startPrivateBus } from "./private-bus.js";

const said = {
  sender: descriptorService.destination,
  path: descriptorService.path,
  interface: descriptorService.interface,
  member: "Said",
} as const;

describe("a subscription to signals", () => {
  let bus: PrivateBus;
  let service: AsyncDisposable;
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

  async function say(text: string): Promise<void> {
    await client.call({ ...descriptorService, member: "Signal", signature: "s", body: [text] });
  }

  it("brings the signals of a well-known name, before the reply of the call that caused them", async () => {
    const heard: BusSignal[] = [];
    await using _subscription = await client.subscribe(said, (signal) => heard.push(signal));
    await say("hello");
    assert.deepEqual(heard.map(({ member, body }) => [member, body]), [["Said", ["hello"]]]);
    assert.match(heard[0]?.sender ?? "", /^:1\./);
  });

  it("brings nothing that does not match", async () => {
    const heard: unknown[] = [];
    const hear = (signal: BusSignal): unknown => heard.push(signal.body[0]);
    await using _path = await client.subscribe({ ...said, path: "/other" }, hear);
    await using _member = await client.subscribe({ ...said, member: "Other" }, hear);
    await using _argument = await client.subscribe({ ...said, arg0: "other" }, hear);
    await using _interface = await client.subscribe({ ...said, interface: "org.example.Other" }, hear);
    await using _all = await client.subscribe({ path: said.path }, () => undefined);
    await say("x");
    assert.deepEqual(heard, []);
    await say("other");
    assert.deepEqual(heard, ["other"]);
  });

  it("brings nothing once it is disposed of, or the connection closed", async () => {
    const heard: unknown[] = [];
    const subscription = await client.subscribe(said, (signal) => heard.push(signal.body[0]));
    subscription[Symbol.dispose]();
    await say("too late");
    assert.equal(heard.length, 0);
    const other = await client.subscribe(said, (signal) => heard.push(signal.body[0]));
    client.close();
    await other[Symbol.asyncDispose]();
  });

  it("takes nothing from a stranger who sends us the same signal", async () => {
    const heard: unknown[] = [];
    const all: unknown[] = [];
    await using _subscription = await client.subscribe(said, (signal) => heard.push(signal.body[0]));
    await using _everybody = await client.subscribe({ member: "Said" }, (signal) => all.push(signal.body[0]));
    await forgeSignal(bus.address, client.name);
    await say("true");
    assert.deepEqual(heard, ["true"]);
    assert.deepEqual(all, ["forged", "true"]);
  });

  it("follows a name to its next owner", async () => {
    const heard: unknown[] = [];
    await service[Symbol.asyncDispose]();
    await using _subscription = await client.subscribe(said, (signal) => heard.push(signal.body[0]));
    service = await startDescriptorService(bus);
    await say("from the next");
    assert.deepEqual(heard, ["from the next"]);
  });

  it("leaves no match rule on the bus when it is disposed of", async () => {
    const before = await rulesOf(client);
    for (let round = 0; round < 20; round += 1) {
      await using _subscription = await client.subscribe(said, () => undefined);
    }
    const held = await client.subscribe(said, () => undefined);
    assert.equal((await rulesOf(client)).length, before.length + 2, "its own rule, and that for the name's owner");
    held[Symbol.dispose]();
    assert.deepEqual(await rulesOf(client), before);
  });

  it("that the bus refuses leaves nothing behind", async () => {
    const before = await rulesOf(client);
    await assert.rejects(client.subscribe({ ...said, path: "not a path" }, () => undefined), /MatchRuleInvalid/);
    await delay(20);
    assert.deepEqual(await rulesOf(client), before);
  });
});

describe("the text of a match rule", () => {
  it("has each value in quotes", () => {
    assert.equal(matchRuleText({ path: "/a", arg0: "b" }), "type='signal',path='/a',arg0='b'");
  });

  it("cannot be broken out of by an apostrophe", () => {
    assert.equal(matchRuleText({ arg0: "a',sender='b" }), "type='signal',arg0='a'\\'',sender='\\''b'");
  });
});

/** A connection other than the service's sends `Said` to one client. */
async function forgeSignal(address: string, destination: string): Promise<void> {
  const connection = await openConnection(parseBusAddress(address), null);
  const busItself = "org.freedesktop.DBus";
  const hello = { path: "/org/freedesktop/DBus", interface: busItself, destination: busItself, member: "Hello" };
  connection.message({ type: 1, serial: 1, ...hello });
  const { path, member } = said;
  const forged = { path, interface: said.interface, member, destination, signature: "s", body: ["forged"] };
  connection.message({ type: 4, serial: 2, ...forged });
  connection.message({ type: 1, serial: 3, ...hello, member: "GetId" });
  await new Promise<void>((resolve) => {
    connection.on("message", (message) => {
      if (message.replySerial === 3) resolve();
    });
  });
  connection.end();
}

async function rulesOf(client: Bus): Promise<readonly string[]> {
  const [rules] = await client.call({
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus.Debug.Stats",
    member: "GetAllMatchRules",
  });
  return (rules as Record<string, string[]>)[client.name] ?? [];
}
