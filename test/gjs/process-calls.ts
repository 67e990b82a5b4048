/*
 * Starts processes as the shared code does, and writes what comes of it to standard output: the same in Node and in GJS.
 */
import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { requiredSystemCalls } from "../../src/node/descriptor-scope.js";
import { attempt, tell } from "./telling.js";

const directory = mkdtempSync("/tmp/gio-sandbox-processes-");
const calls = requiredSystemCalls();

/** How a program fails to start: Node throws some of that. */
async function failure(program: string, argv: readonly string[] = [], settings: Settings = {}): Promise<unknown> {
  try {
    const child = start(program, argv, settings);
    return await new Promise((resolve) => {
      child.once("error", (error) => resolve([(error as NodeJS.ErrnoException).code, child.pid ?? "no pid", child.signalCode]));
      child.once("exit", () => resolve("it started"));
    });
  } catch (error) {
    return [(error as NodeJS.ErrnoException).code, "no pid", null];
  }
}

/** All that is told of a process that starts, in the order in which it comes. */
function story(child: ChildProcess): Promise<readonly unknown[]> {
  const events: unknown[] = [child.exitCode, child.signalCode];
  return new Promise((resolve) => {
    child.on("error", () => events.push("error"));
    child.on("exit", (...values) => events.push(["exit", ...values]));
    child.on("close", (...values) => {
      events.push(["close", ...values]);
      // what comes too often must have time to
      setTimeout(() => resolve([...events, child.exitCode, child.signalCode]), 20);
    });
  });
}

type Stdio = readonly (number | "ignore")[];

interface Settings {
  readonly stdio?: Stdio;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly detached?: boolean;
}

function start(program: string, argv: readonly string[], settings: Settings = {}): ChildProcess {
  const { stdio = ["ignore", "ignore", "ignore"], env = {}, cwd = "/", detached = false } = settings;
  return spawn(program, [...argv], { stdio: [...stdio], env, cwd, detached });
}

/** What a script writes to its standard output. */
async function said(script: string, settings: Settings = {}, more: Stdio = []): Promise<string> {
  const output = calls.memoryFile("output");
  try {
    await story(start("/bin/sh", ["-c", script], { ...settings, stdio: ["ignore", output, "ignore", ...more] }));
    return readFileSync(`/proc/self/fd/${output}`, "utf8");
  } finally {
    closeSync(output);
  }
}

async function tellEnds(): Promise<void> {
  for (const code of [0, 1, 77, 255]) tell(`exit ${code}`, await story(start("/bin/sh", ["-c", `exit ${code}`])));
  for (const signal of ["KILL", "TERM", "SEGV", "USR1", "ABRT"]) {
    tell(`the signal ${signal}`, await story(start("/bin/sh", ["-c", `kill -s ${signal} $$`])));
  }
  for (const signal of [undefined, "SIGTERM", "SIGKILL"] as const) {
    const child = start("sleep", ["60"]);
    tell("has a pid", Number.isSafeInteger(child.pid));
    const end = story(child);
    child.kill(signal);
    child.unref();
    child.ref();
    tell(`killed with ${String(signal)}`, await end);
    child.kill();
  }
  const many = Array.from({ length: 20 }, (_none, code) => story(start("/bin/sh", ["-c", `exit ${code}`])));
  tell("many at once", await Promise.all(many));
}

async function tellWorld(): Promise<void> {
  tell("no variables", (await said("env")).split("\n").filter((line) => !/^(PWD|SHLVL|OLDPWD|_)=/.test(line)));
  tell("a variable", await said('printf %s "$A$B"', { env: { A: "a=b\n", B: "ü" } }));
  tell("a directory", await said("pwd", { cwd: "/usr/bin" }));
  tell("words", await said('printf "<%s>" "$0" "$@"'));
  const file = join(directory, "text");
  writeFileSync(file, "text of a file");
  const descriptor = openSync(file, constants.O_RDONLY);
  const world = 'cat <&4; for fd in 0 1 2 3 4 5 6 7 8; do echo; echo $fd; readlink /proc/$$/fd/$fd; done';
  const zero = openSync("/dev/zero", constants.O_RDONLY);
  const listed = await said(world, {}, [zero, descriptor, zero, descriptor]);
  closeSync(zero);
  tell("descriptors", listed.replaceAll(directory, ""));
  tell("which stay open here", fstatSync(descriptor).isFile());
  // each number is in the way of another
  const crossing = Array.from({ length: 20 }, (_none, index) => openSync(join(directory, `${index}`), constants.O_CREAT | constants.O_RDONLY));
  const order = 'for fd in 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$fd; done; echo; for fd in 10 15 20 21 22; do readlink /proc/$$/fd/$fd; done';
  const crossed = await said(order, {}, crossing.reverse());
  for (const each of crossing) closeSync(each);
  tell("descriptors that cross", crossed.replaceAll(directory, "").split("\n"));
  tell("standard error", await stderrOf('echo "to standard error" >&2'));
  closeSync(descriptor);
}

async function stderrOf(script: string): Promise<string> {
  const output = calls.memoryFile("output");
  await story(start("/bin/sh", ["-c", script], { stdio: ["ignore", "ignore", output] }));
  const text = readFileSync(`/proc/self/fd/${output}`, "utf8");
  closeSync(output);
  return text;
}

async function tellFailures(): Promise<void> {
  const locked = join(directory, "locked");
  writeFileSync(locked, "#!/bin/sh\n");
  for (const detached of [false, true]) {
    tell("no such program", await failure("/nowhere/program", [], { detached }));
    tell("a program that may not be run", await failure(locked, [], { detached }));
    tell("a directory for a program", await failure(directory, [], { detached }));
    tell("below a file", await failure(`${locked}/program`, [], { detached }));
    tell("too long a name", await failure(join(directory, "x".repeat(300)), [], { detached }));
  }
  tell("no such program in PATH", await failure("gio-sandbox-nothing"));
  tell("too many words", await failure("/bin/true", ["x".repeat(3_000_000)]));
}

async function tellSessions(): Promise<void> {
  for (const detached of [false, true]) {
    const output = calls.memoryFile("output");
    const [input, end] = calls.pipe();
    // one that has ended has no pid any more: it stays until its input ends
    const script = "read line < /proc/$$/stat; echo $line; exec cat";
    const child = start("/bin/sh", ["-c", script], { stdio: [input, output, "ignore"], detached });
    closeSync(input);
    closeSync(end);
    const whole = await story(child);
    const [pid, , , , group, session] = readFileSync(`/proc/self/fd/${output}`, "utf8").split(" ");
    tell(detached ? "a session of its own" : "the same session", [pid === String(child.pid), group === pid, session === pid, whole]);
    closeSync(output);
  }
  const shell = openSync("/bin/sh", constants.O_RDONLY);
  const program = `/proc/self/fd/${shell}`;
  const descriptor = openSync("/dev/zero", constants.O_RDONLY);
  const stdio = ["ignore", "ignore", "ignore", descriptor] as const;
  const child = start(program, ["-c", "test $(readlink /proc/$$/fd/3) = /dev/zero || exit 2; exit 7"], { stdio, detached: true });
  tell("a program that is a descriptor", await story(child));
  closeSync(shell);
  closeSync(descriptor);
}

function output(program: string, argv: readonly string[], timeout = 10_000): Promise<readonly unknown[]> {
  const options = { env: {}, cwd: "/", timeout, maxBuffer: 65536 };
  return new Promise((resolve) => execFile(program, argv, options, (error, stdout) => resolve([error !== null, stdout])));
}

async function tellOutputs(): Promise<void> {
  tell("an output", await output("/bin/sh", ["-c", "echo Grüße; echo hidden >&2"]));
  tell("that of a failure", await output("/bin/sh", ["-c", "echo so far; exit 3"]));
  tell("that of nothing", await output("/nowhere/program", []));
  const begun = Date.now();
  tell("that of what does not end", await output("/bin/sh", ["-c", "echo so far; exec sleep 60"], 200));
  tell("in time", Date.now() - begun < 5000);
}

async function tellPipes(): Promise<void> {
  const [ours, theirs] = calls.pipe();
  const socket = new Socket({ fd: ours, readable: true, writable: false });
  const events: string[] = [];
  let text = "";
  socket.once("data", () => events.push("data"));
  socket.on("data", (bytes: Uint8Array) => (text += new TextDecoder().decode(bytes)));
  socket.on("error", () => events.push("error"));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const child = start("/bin/sh", ["-c", "echo one >&3; echo two >&3"], { stdio: ["ignore", "ignore", "ignore", theirs] });
  closeSync(theirs);
  await Promise.all([closed, story(child)]);
  socket.unref();
  socket.ref();
  socket.destroy();
  tell("a pipe to its end", [events, text]);
  await attempt("which is closed then", () => fstatSync(ours));

  const [idle, writing] = calls.pipe();
  const other = new Socket({ fd: idle, readable: true, writable: false });
  const end = new Promise<string>((resolve) => other.once("close", () => resolve("closed")));
  other.on("data", () => tell("data", "of nobody"));
  other.destroy();
  tell("a pipe that is given up", await end);
  await attempt("which is closed", () => fstatSync(idle));
  closeSync(writing);
}

async function tellAll(): Promise<void> {
  try {
    await tellEnds();
    await tellWorld();
    await tellFailures();
    await tellSessions();
    await tellOutputs();
    await tellPipes();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export const done = tellAll();
