import assert from "node:assert/strict";
import { openSync } from "node:fs";
import dbus from "dbus-next";
import { connectToBus } from "../../../src/node/bus/bus.js";
import { connectMessageBus } from "../../../src/node/bus/message-bus.js";
import { descriptorService, startDescriptorService, startPrivateBus } from "./private-bus.js";

class Greeter extends dbus.interface.Interface {
  Greet(name: string): string {
    return `Hello, ${name}`;
  }
}
Greeter.configureMembers({ methods: { Greet: { inSignature: "s", outSignature: "s" } } });

describe("dbus-next's MessageBus over our connection", () => {
  it("offers proxies, which send descriptors too", async () => {
    await using bus = await startPrivateBus();
    await using _service = await startDescriptorService(bus);
    const client = await connectMessageBus(bus.address);
    const object = await client.getProxyObject(descriptorService.destination, descriptorService.path);
    const proxy = object.getInterface(descriptorService.interface);
    const read = proxy["Read"] as (descriptors: Record<number, number>) => Promise<unknown>;
    assert.deepEqual(await read({ 4: openSync("/dev/null", "r") }), { 4: "" });
    client.disconnect();
  });

  it("offers services", async () => {
    await using bus = await startPrivateBus();
    const server = await connectMessageBus(bus.address);
    server.export("/org/example/Greeter", new Greeter("org.example.Greeter"));
    await server.requestName("org.example.Greeter", 0);
    using client = await connectToBus(bus.address);
    const greeter = { destination: "org.example.Greeter", path: "/org/example/Greeter", interface: "org.example.Greeter" };
    assert.deepEqual(await client.call({ ...greeter, member: "Greet", signature: "s", body: ["you"] }), ["Hello, you"]);
    server.disconnect();
  });

  it("rejects open calls when the bus dies", async () => {
    await using bus = await startPrivateBus();
    await using _service = await startDescriptorService(bus);
    const client = await connectMessageBus(bus.address);
    const call = client.call(new dbus.Message({ ...descriptorService, member: "WaitForEver" }));
    await client.call(
      new dbus.Message({
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        member: "GetId",
      }),
    );
    await bus.kill();
    await assert.rejects(
      call,
      (error) => error instanceof Error && "type" in error
        && error.type === "org.freedesktop.DBus.Error.Disconnected",
    );
  });
});
