/*
 * Waits for what comes over the session bus, and for other things, in blocking calls and in a main context of its own, and
 * prints a line for each. Ends the bus, whose pid is in GIO_SANDBOX_TEST_DAEMON.
 */
import GLib from "gi://GLib?version=2.0";
import type { Bus } from "../../src/gjs/bus/bus.js";
import { connectToBus } from "../../src/gjs/bus/bus.js";
import { runUntil, serve } from "../../src/gjs/event-loop.js";
import { runJobs } from "../../src/gjs/jobs.js";
import { spawn } from "../../src/gjs/node/child_process.js";
import { writeSync } from "../../src/gjs/node/fs.js";
import { Socket } from "../../src/gjs/node/net.js";
import { kill } from "../../src/gjs/node/process.js";
import { systemCalls } from "../../src/gjs/system-calls.js";
import { BusError } from "../../src/node/bus/bus-error.js";
import { GLibError } from "../../src/subprocess/glib-error.js";
import { tell } from "./telling.js";

/** Has something begun, and waits for it in whatever way. */
type Wait = (begin: () => Promise<unknown>) => unknown;

const service = {
  destination: "org.example.Descriptors",
  path: "/org/example/Descriptors",
  interface: "org.example.Descriptors",
};
const said = { sender: service.destination, path: service.path, interface: service.interface, member: "Said" };

interface Outcome {
  value: unknown;
}

function settled(promise: Promise<unknown>, settle: (outcome: Outcome) => void): void {
  promise.then(
    (value) => settle({ value }),
    (error: unknown) => settle({ value: kindOf(error) }),
  );
}

function kindOf(error: unknown): unknown {
  if (error instanceof BusError) return error.remoteName;
  return error instanceof GLibError ? [error.domain, error.code] : String(error);
}

const blocking: Wait = (begin) => {
  const outcomes: Outcome[] = [];
  runUntil(
    () => outcomes.length > 0,
    () => settled(begin(), (outcome) => outcomes.push(outcome)),
  );
  return outcomes[0]?.value;
};

const inOwnContext: Wait = (begin) => {
  const outcomes: Outcome[] = [];
  const context = new GLib.MainContext();
  context.push_thread_default();
  const stop = serve(context);
  settled(begin(), (outcome) => outcomes.push(outcome));
  runJobs();
  while (outcomes.length === 0) context.iteration(true);
  stop();
  context.pop_thread_default();
  return outcomes[0]?.value;
};

function sayFromElsewhere(text: string): void {
  const call = ["call", "--session", "--dest", service.destination, "--object-path", service.path];
  const words = [...call, "--method", `${service.interface}.Signal`, text];
  const variables = { DBUS_SESSION_BUS_ADDRESS: GLib.getenv("DBUS_SESSION_BUS_ADDRESS") ?? "" };
  spawn("gdbus", words, { stdio: ["ignore", "ignore", "ignore"], env: variables, cwd: "/" });
}

function end(program: string, words: readonly string[]): Promise<unknown> {
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "ignore"], env: {}, cwd: "/" });
  return new Promise((resolve) => child.once("exit", (...values) => resolve(values)));
}

function pipeText(): Promise<unknown> {
  const [ours, theirs] = systemCalls().pipe();
  const socket = new Socket({ fd: ours });
  return new Promise((resolve) => {
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(new TextDecoder().decode(bytes as Uint8Array));
    });
    writeSync(theirs, "through");
  });
}

function tellWaits(name: string, wait: Wait): void {
  const bus = wait(() => connectToBus("session")) as Bus;
  tell(`${name}: the end of a process`, wait(() => end("/bin/sh", ["-c", "exit 7"])));
  tell(`${name}: a pipe`, wait(pipeText));
  tell(`${name}: a timer`, wait(() => new Promise((resolve) => setTimeout(() => resolve("over"), 10))));
  tell(`${name}: turns`, wait(() => new Promise((resolve) => setImmediate(() => setImmediate(() => resolve("over"))))));
  tell(`${name}: an error`, wait(() => bus.call({ ...service, member: "Fail" })));
  tell(`${name}: no reply in time`, wait(() => bus.call({ ...service, member: "WaitForEver", timeout: 20 })));
  tell(`${name}: a signal to give up`, wait(() => bus.call({ ...service, member: "WaitForEver", signal: AbortSignal.timeout(20) })));
  const heard: unknown[] = [];
  const signal = wait(() =>
    new Promise((resolve) => {
      void bus.subscribe(said, ({ body }) => resolve(heard.push(body))).then(() => sayFromElsewhere("from elsewhere"));
    }),
  );
  tell(`${name}: a signal`, [signal, heard]);
  wait(() => bus.call({ ...service, member: "Signal", signature: "s", body: ["by ourselves"] }));
  tell(`${name}: a signal before a reply`, heard);
  bus.close();
  tell(`${name}: the end`, wait(() => bus.closed));
}

tellWaits("blocking", blocking);
tellWaits("in a context", inOwnContext);

// what has come is taken within a blocking call, and another context has been told of it too by then
{
  const [ours, theirs] = systemCalls().pipe();
  const heard: unknown[] = [];
  setTimeout(() => heard.push(blocking(() => end("/bin/true", []))));
  new Socket({ fd: ours }).on("data", (bytes) => heard.push(new TextDecoder().decode(bytes as Uint8Array)));
  writeSync(theirs, "through");
  GLib.usleep(5000);
  while (heard.length < 2) GLib.MainContext.default().iteration(false);
  while (GLib.MainContext.default().iteration(false));
  tell("a pipe that was read meanwhile", heard);
}

// what is begun in one way can be waited for in another
const [first, second] = [blocking(() => connectToBus("session")), blocking(() => connectToBus("session"))] as [Bus, Bus];
const begun = first.call({ ...service, member: "Signal", signature: "s", body: ["x"] });
tell("what was begun before", blocking(() => begun));
const open = [first, second].map((bus) => bus.call({ ...service, member: "WaitForEver", timeout: Infinity }));
blocking(() => second.call({ ...service, member: "Signal", signature: "s", body: ["x"] }));
kill(Number(GLib.getenv("GIO_SANDBOX_TEST_DAEMON")), "SIGKILL");
tell("a call when the bus dies", blocking(() => open[0] ?? Promise.resolve()));
tell("another, in a context", inOwnContext(() => open[1] ?? Promise.resolve()));
tell("the end with a reason", blocking(() => first.closed.then(kindOf)));
tell("the other's, in a context", inOwnContext(() => second.closed.then(kindOf)));
