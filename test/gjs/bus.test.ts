import assert from "node:assert/strict";
import type { PrivateBus } from "../node/bus/private-bus.js";
import { startDescriptorService, startPrivateBus } from "../node/bus/private-bus.js";
import { IOErrorEnum } from "../../src/subprocess/glib-error.js";
import { inGjs, inNode } from "./running-gjs.js";

type Run = (name: string, variables: Readonly<Record<string, string>>) => string[];

/** What a script prints that has a bus, with a service on it, for itself. */
async function onBus(run: Run, name: string): Promise<string[]> {
  await using bus = await startPrivateBus();
  await using _service = await startDescriptorService(bus);
  return run(name, variablesFor(bus));
}

function variablesFor(bus: PrivateBus): Record<string, string> {
  return { DBUS_SESSION_BUS_ADDRESS: bus.address, GIO_SANDBOX_TEST_DAEMON: String(bus.daemon.pid) };
}

describe("the bus in GJS", function () {
  this.timeout(120_000);

  it("does with calls, errors, signals, descriptors and ends what Node's does", async () => {
    const node = await onBus(inNode, "bus-calls");
    assert.deepEqual(await onBus(inGjs, "bus-calls"), node);
    assert.ok(node.length > 60);
  });

  it("can be waited for in blocking calls, and in main contexts other than the default one", async () => {
    const waits = (name: string): string[] => [
      `${name}: the end of a process: [[7,null]]`,
      `${name}: a pipe: ["through"]`,
      `${name}: a timer: ["over"]`,
      `${name}: turns: ["over"]`,
      `${name}: an error: ["org.example.Error.Bad"]`,
      `${name}: no reply in time: [["g-io-error-quark",${IOErrorEnum.TIMED_OUT}]]`,
      `${name}: a signal to give up: [["g-io-error-quark",${IOErrorEnum.CANCELLED}]]`,
      `${name}: a signal: [[1,[["from elsewhere"]]]]`,
      `${name}: a signal before a reply: [[["from elsewhere"],["by ourselves"]]]`,
      `${name}: the end: [null]`,
    ];
    const closed = `[["g-io-error-quark",${IOErrorEnum.CLOSED}]]`;
    assert.deepEqual(await onBus(inGjs, "blocking-bus-in-gjs"), [
      ...waits("blocking"),
      ...waits("in a context"),
      'a pipe that was read meanwhile: [["through",[0,null]]]',
      "what was begun before: [[]]",
      `a call when the bus dies: ${closed}`,
      `another, in a context: ${closed}`,
      `the end with a reason: ${closed}`,
      `the other's, in a context: ${closed}`,
    ]);
  });
});
