/* What GJS has for system calls, put to the test in GJS itself. Prints a line for each thing that holds. */
import GLib from "gi://GLib?version=2.0";
import { GLibError } from "../../src/subprocess/glib-error.js";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from "../../src/gjs/node/fs.js";
import { ownPid } from "../../src/gjs/socket-pair.js";
import { SystemCallFailure, systemCalls } from "../../src/gjs/system-calls.js";

const calls = systemCalls();

function tell(what: string, result: unknown): void {
  print(`${what}: ${JSON.stringify(result)}`);
}

function errorOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof SystemCallFailure) return [error.call, error.errno];
    if (error instanceof GLibError) return [error.domain, error.code, error.message.replace(/: .*/, "")];
    return String(error);
  }
}

/** The pids of what this process has started. */
function services(): number[] {
  return readFileSync(`/proc/self/task/${ownPid()}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number);
}

function descriptorCount(): number {
  return readdirSync("/proc/self/fd").length;
}

const buffer = new Uint8Array(16);

function isPipe([reading, writing]: readonly [number, number]): boolean {
  writeSync(writing, "through");
  const isThrough = readSync(reading, buffer) === 7;
  closeSync(reading);
  closeSync(writing);
  return isThrough;
}

tell("services before the first call", services().length);
tell("a pipe", errorOf(() => isPipe(calls.pipe())));

if (services().length > 0) {
  tell("a pair of sockets", isPipe(calls.socketPair()) && calls.socketPair().every((descriptor) => fstatSync(descriptor).isSocket()));
  const file = calls.memoryFile("label");
  tell("a file in memory", readlinkSync(`/proc/self/fd/${file}`));
  tell("a label that is too long", errorOf(() => calls.memoryFile("x".repeat(300))));

  const before = descriptorCount();
  closeSync(0);
  const duplicate = calls.duplicate(file);
  tell("a duplicate is no standard stream", [duplicate > 2, fstatSync(duplicate).ino === fstatSync(file).ino, calls.isOpen(0)]);
  openSync("/dev/null");
  closeSync(duplicate);
  tell("a duplicate of nothing", errorOf(() => calls.duplicate(1000)));
  tell("is open", [calls.isOpen(file), calls.isOpen(1000), calls.isOpen(-1)]);

  tell("nothing is left open", descriptorCount() - before);

  const [first = 0] = services();
  GLib.spawn_command_line_sync(`kill -KILL ${first}`);
  while (GLib.file_test(`/proc/${first}/exe`, GLib.FileTest.EXISTS)) GLib.usleep(1000);
  tell("a service that has died is started again", isPipe(calls.pipe()) && !services().includes(first));
  for (let round = 0; round < 200; round++) isPipe(calls.pipe());
  tell("and leaves nothing open", descriptorCount() - before);

  const open: number[] = [];
  tell("pipes without end", errorOf(() => {
    for (;;) open.push(...calls.pipe());
  }));
  for (const descriptor of open.splice(0)) closeSync(descriptor);
  tell("leave room again when they are closed", [isPipe(calls.pipe()), descriptorCount() - before]);
}
