/*
 * Talks to a service on the session bus, test/node/bus/fixtures/descriptor-service.js, and writes what comes of it to standard
 * output: the same in Node and in GJS. Ends the bus, whose pid is in GIO_SANDBOX_TEST_DAEMON.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { env, kill } from "node:process";
import type { Bus } from "../../src/node/bus/bus.js";
import { connectToBus } from "../../src/node/bus/bus.js";
import { BusError } from "../../src/node/bus/bus-error.js";
import { variant } from "../../src/node/bus/message-writer.js";
import { requiredSystemCalls } from "../../src/node/descriptor-scope.js";
import { GLibError } from "../../src/subprocess/glib-error.js";
import { tell } from "./telling.js";

const busItself = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };
const service = {
  destination: "org.example.Descriptors",
  path: "/org/example/Descriptors",
  interface: "org.example.Descriptors",
};
const said = { sender: service.destination, path: service.path, interface: service.interface, member: "Said" };
const calls = requiredSystemCalls();

/** What fails: an error of a peer's with its name and words, one of GLib's with its domain and code, any other with its kind. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    return ["no failure", await promise];
  } catch (error) {
    if (error instanceof BusError) return [error.remoteName, error.remoteMessage, error.domain, error.code];
    if (error instanceof GLibError) return [error.domain, error.code];
    return error instanceof TypeError ? "TypeError" : String(error);
  }
}

/** Bytes as numbers, whatever class they are of. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

const values: readonly [string, unknown][] = [
  ["s", "héllo"],
  ["o", "/a/b"],
  ["g", "a{sv}"],
  ["b", true],
  ["b", false],
  ["y", 255],
  ["n", -32768],
  ["q", 65535],
  ["i", -5],
  ["u", 4_294_967_295],
  ["t", 18_446_744_073_709_551_615n],
  ["x", -9_007_199_254_740_993n],
  ["d", 1.5],
  ["as", ["a", "b"]],
  ["ay", new Uint8Array([1, 2, 0])],
  ["ay", [1, 2, 0]],
  ["ay", new Uint8Array()],
  ["aay", [new Uint8Array([97, 0]), new Uint8Array([98, 0])]],
  ["(sai)", ["x", [1, -2]]],
  ["a(sv)", [["x", variant("u", 1)], ["y", variant("as", ["z"])]]],
  ["a{ss}", { a: "b" }],
  ["a{ss}", new Map([["a", "b"]])],
  ["a{us}", new Map([[7, "seven"]])],
  ["a{us}", { 7: "seven" }],
  ["a{xs}", { "-7": "seven" }],
  ["a{ua{is}}", { 1: { "-2": "x" } }],
  ["a{uas}", new Map()],
  ["a{sv}", { a: variant("t", 5n), b: variant("v", variant("ay", [1])) }],
];

const wrong: readonly [string, readonly unknown[]][] = [
  ["s", [1]],
  ["s", []],
  ["", ["x"]],
  ["a{us}", [[]]],
  ["a{us}", [{ x: "y" }]],
  ["as", ["x"]],
  ["(ss)", [["only one"]]],
  ["v", ["bare"]],
  ["v", [variant("ss", "two types")]],
  ["u", [null]],
  ["u", [4_294_967_296]],
  ["y", [-1]],
  ["h", [undefined]],
];

async function tellValues(bus: Bus): Promise<void> {
  for (const [signature, value] of values) {
    const [echo] = await bus.call({ ...service, member: "Echo", signature: "v", body: [variant(signature, value)] });
    tell(`the value ${signature}`, plain(echo));
  }
  for (const [signature, body] of wrong) {
    tell(`what is no ${signature}`, await failure(bus.call({ ...service, member: "Echo", signature, body })));
  }
  const many = await Promise.all(
    Array.from({ length: 100 }, (_none, number) =>
      bus.call({ ...service, member: "Echo", signature: "v", body: [variant("u", number)] }),
    ),
  );
  tell("many at once", many.map(plain));
  const [large] = await bus.call({ ...service, member: "Echo", signature: "v", body: [variant("ay", new Uint8Array(1 << 20).fill(7))] });
  const { value } = large as { readonly value: Uint8Array };
  tell("a megabyte", [value.length, value.every((byte) => byte === 7)]);
  tell("a reply with a descriptor", plain(await bus.call({ ...service, member: "GiveDescriptor" })));
}

async function tellFailures(bus: Bus): Promise<void> {
  tell("an error", await failure(bus.call({ ...service, member: "Fail" })));
  const nobody = await failure(bus.call({ ...service, destination: "org.example.Nobody", member: "Fail" }));
  tell("nobody there", (nobody as unknown[])[0]);
  tell("no reply in time", await failure(bus.call({ ...service, member: "WaitForEver", timeout: 50 })));
  const abort = new AbortController();
  const given = failure(bus.call({ ...service, member: "WaitForEver", signal: abort.signal }));
  abort.abort();
  tell("a call that is given up", await given);
  tell("one that is not begun", await failure(bus.call({ ...service, member: "WaitForEver", signal: abort.signal })));
  tell("and another", await bus.call({ ...busItself, member: "GetId" }).then(([id]) => typeof id));
  tell("a bus that is not there", await failure(connectToBus("unix:path=/nowhere/bus")));
  tell("what is no bus", await failure(connectToBus("unix:path=/dev/null")));
  tell("what is no address", await failure(connectToBus("nonsense")));
  tell("a connection that is given up", await failure(connectToBus("session", { signal: abort.signal })));
}

async function tellSignals(bus: Bus): Promise<void> {
  const heard: unknown[] = [];
  const say = (text: string): Promise<unknown> => bus.call({ ...service, member: "Signal", signature: "s", body: [text] });
  const subscription = await bus.subscribe(said, (signal) => {
    heard.push([signal.path, signal.interface, signal.member, signal.signature, signal.body, signal.sender.startsWith(":1.")]);
  });
  const other = await bus.subscribe({ ...said, arg0: "two" }, ({ body }) => heard.push(["with an argument", body]));
  const strange = await bus.subscribe({ ...said, path: "/other" }, () => heard.push("another path"));
  await say("one");
  tell("a signal comes before the reply", heard);
  for (const text of ["two", "three", "two"]) await say(text);
  tell("and others in order", heard);
  subscription[Symbol.dispose]();
  await say("two");
  await other[Symbol.asyncDispose]();
  await strange[Symbol.asyncDispose]();
  await say("two");
  tell("none after the end", heard.length);
  const outcome = new Promise<unknown>((resolve) => {
    const late = setTimeout(() => resolve("late"), 5000);
    void bus.subscribe(said, ({ body }) => {
      clearTimeout(late);
      resolve(body);
    });
  });
  // when no call of ours is under way
  setTimeout(() => sayFromElsewhere("from elsewhere"), 100);
  tell("one that comes in the quiet", await outcome);
}

function sayFromElsewhere(text: string): void {
  const call = ["call", "--session", "--dest", service.destination, "--object-path", service.path];
  const words = [...call, "--method", `${service.interface}.Signal`, text];
  const variables = { DBUS_SESSION_BUS_ADDRESS: env["DBUS_SESSION_BUS_ADDRESS"] ?? "" };
  spawn("gdbus", words, { stdio: ["ignore", "ignore", "ignore"], env: variables, cwd: "/" });
}

async function tellDescriptors(bus: Bus): Promise<void> {
  const count = (): number => readdirSync("/proc/self/fd").length;
  const read = (descriptors: unknown): Promise<readonly unknown[]> =>
    bus.call({ ...service, member: "Read", signature: "a{uh}", body: [descriptors] });
  const file = calls.memoryFile("text");
  writeSync(file, "in memory", 0);
  const place = openSync(`/proc/self/fd/${file}`, 0);
  const before = count();
  tell("a descriptor", await read({ 3: place }));
  const again = openSync(`/proc/self/fd/${file}`, 0);
  const reply = read(new Map([[7, again]]));
  closeSync(again);
  tell("one that is closed at once", await reply);
  tell("too many", await failure(read(Array.from({ length: 17 }, () => file).reduce((map, descriptor, index) => map.set(index, descriptor), new Map<number, number>()))));
  tell("one that is not open", await failure(read({ 0: 1000 })));
  tell("an error", await failure(bus.call({ ...service, member: "Nothing", signature: "h", body: [file] })).then((all) => (all as unknown[])[0]));
  tell("no reply", await failure(bus.call({ ...service, member: "WaitForEver", signature: "", body: [], timeout: 10 })));
  const [ours, theirs] = calls.pipe();
  await failure(bus.call({ ...service, destination: "org.example.Nobody", member: "Read", signature: "h", body: [theirs] }));
  await failure(bus.call({ ...service, destination: "org.example.Nobody", member: "Read", signature: "h", body: [theirs], timeout: 1 }));
  closeSync(theirs);
  await new Promise((resolve) => setTimeout(resolve, 50));
  tell("nobody keeps the end of a pipe", readSync(ours, new Uint8Array(1)));
  closeSync(ours);
  tell("and nothing is left open", count() - before);
  closeSync(place);
  closeSync(file);
}

async function tellEnds(bus: Bus): Promise<void> {
  const other = await connectToBus(env["DBUS_SESSION_BUS_ADDRESS"] ?? "");
  tell("each has its own name", [/^:1\.\d+$/.test(other.name), other.name === bus.name]);
  const call = failure(other.call({ ...service, member: "WaitForEver" }));
  other.unref();
  other.ref();
  other.close();
  other.close();
  tell("a call on what is closed here", await call);
  tell("which ends without a reason", await other.closed);
  tell("a call after the end", await failure(other.call({ ...busItself, member: "GetId" })));
  const [names] = await bus.call({ ...busItself, member: "ListNames" });
  tell("and the bus knows", (names as string[]).includes(other.name));
  const subscription = await bus.subscribe(said, () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // when no call of ours is under way
  kill(Number(env["GIO_SANDBOX_TEST_DAEMON"]), "SIGKILL");
  const reason = await bus.closed;
  tell("a bus that dies is a reason", reason instanceof GLibError && [reason.domain, reason.code]);
  tell("a call when it is dead", await failure(bus.call({ ...busItself, member: "GetId" })));
  await subscription[Symbol.asyncDispose]();
  bus.close();
}

async function tellAll(): Promise<void> {
  const bus = await connectToBus("session");
  await tellValues(bus);
  await tellFailures(bus);
  await tellSignals(bus);
  await tellDescriptors(bus);
  await tellEnds(bus);
}

export const done = tellAll();
