/*
 * Calls what the shared code uses of Node's small modules and globals, and writes what comes of it to standard output: the
 * same in Node and in GJS.
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { EventEmitter } from "node:events";
import { homedir, hostname, release, tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join, normalize } from "node:path";
import { arch, env, getegid, geteuid, kill, pid } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { attempt, tell } from "./telling.js";

const paths = [
  ...["//a", "a/../", "", ".", "..", "/", "//", "/..", "./", "../", "a", "a/", "a//b", "a/./b", "a/../b", "a/..", "a/../..", "../../a"],
  ...["/a/../../b", "/a/b/", "a/b/../../../c/", "./.", "/.", "a/.hidden/..name", "/a//", "//a//b//c"],
];

function tellPaths(): void {
  for (const path of paths) tell(`the path ${path}`, [normalize(path), dirname(path), isAbsolute(path)]);
  const joined = [join(), join(""), join("", "a"), join("a", "", "b"), join("/a", "..", "..", "b"), join("a", "/b/"), join("/", "/")];
  tell("joined paths", [joined, delimiter]);
}

async function tellProcess(): Promise<void> {
  tell("the machine", [homedir(), hostname(), tmpdir(), release(), arch]);
  tell("whose process it is", [geteuid?.(), getegid?.(), Number.isSafeInteger(pid)]);
  const own = Object.entries(env).filter(([name]) => name !== "_" && !name.startsWith("SHLVL"));
  tell("its variables", own.sort(([first], [second]) => (first < second ? -1 : 1)));
  tell("one of them", [env["PATH"], "PATH" in env, env["GIO_SANDBOX_NOTHING"], "GIO_SANDBOX_NOTHING" in env]);
  await attempt("a signal to nobody", () => kill(0x7ffffffe, "SIGTERM"));
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore"], env: {}, cwd: "/" });
    const ended = new Promise((resolve) => child.once("exit", (...end) => resolve(end)));
    kill(child.pid ?? 0, signal);
    tell(`a process that gets ${signal}`, await ended);
    await attempt("and once more", () => kill(child.pid ?? 0, signal));
  }
}

function tellRandom(): void {
  const [first, second] = [randomBytes(16), randomBytes(16)];
  tell("random bytes", [first.length, /^[0-9a-f]{32}$/.test(first.toString("hex")), first.toString("hex") === second.toString("hex")]);
  const few = Array.from({ length: 500 }, () => randomInt(5, 8));
  tell("random numbers", [...new Set(few)].sort());
  const large = Array.from({ length: 100 }, () => randomInt(1, 0xffffffff));
  tell("large ones", [large.every((number) => number >= 1 && number < 0xffffffff), new Set(large).size > 90]);
}

function tellTexts(): void {
  tell("a path of an URL", [fileURLToPath("file:///a%20b/%C3%A9"), fileURLToPath(new URL("../x%20y/z", "file:///a/b/c.js"))]);
  tell("an URL", new URL("../../data/profiles", "file:///a/b%20c/d/e.js").href);
  tell("bytes of a text", [...Buffer.from("é\0€")]);
  const mark = [0xef, 0xbb, 0xbf];
  const bytes = new Uint8Array([...mark, 0x61, 0xff]);
  tell("a text of bytes", [
    new TextDecoder().decode(bytes),
    new TextDecoder("latin1").decode(bytes),
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 4)),
    ...[true, false].map((ignoreBOM) => new TextDecoder("utf-8", { ignoreBOM }).decode(new Uint8Array([...mark, ...mark, ...mark, 97]))),
    new TextDecoder().decode(new Uint8Array()),
  ]);
}

function tellFatal(): void {
  try {
    tell("bytes that are no text", new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array([0xff])));
  } catch (error) {
    tell("bytes that are no text", error instanceof TypeError);
  }
}

function tellEvents(): void {
  const emitter = new EventEmitter();
  const heard: unknown[] = [];
  const second = (value: unknown): number => heard.push(["second", value]);
  const once = (value: unknown): void => {
    heard.push(["once", value]);
    emitter.on("event", (late) => heard.push(["late", late]));
    emitter.off("event", second);
    emitter.emit("event", "nested");
  };
  emitter.once("event", once);
  emitter.on("event", second);
  tell("events", [emitter.emit("event", 1), emitter.emit("event", 2), emitter.emit("other")]);
  tell("what was heard", heard);
  const other = new EventEmitter();
  const never = (): number => heard.push("never");
  other.once("event", never).off("event", never);
  const nested: string[] = [];
  other.once("event", () => other.emit("event"));
  other.once("event", () => nested.push("told"));
  other.emit("event");
  tell("one that is told of once", nested);
  tell("an event that was given up", other.emit("event"));
}

async function tellPromises(): Promise<void> {
  const later = promisify((text: string, callback: (error: Error | null, result: string) => void) =>
    setImmediate(() => {
      if (text === "") callback(Object.assign(new Error("nothing"), { code: "ENOTHING" }), "");
      else callback(null, `${text}!`);
    }),
  );
  await attempt("a function that promises", () => later("text"));
  await attempt("one that fails", () => later(""));
}

async function tellTimers(): Promise<void> {
  const order: string[] = [];
  const note = (what: string): unknown => order.push(what);
  const never = setTimeout(() => note("never"), 20).unref().ref();
  setTimeout(() => note("in 60 ms"), 60);
  setTimeout(() => note("in 30 ms"), 30);
  setTimeout(() => clearTimeout(never), 5);
  for (const turn of [1, 2]) {
    setImmediate(() => {
      note(`turn ${turn}`);
      void Promise.resolve().then(() => note(`what comes of turn ${turn}`));
    });
  }
  void Promise.resolve().then(() => note("at once"));
  clearTimeout(undefined);
  await new Promise<void>((resolve) => setTimeout(resolve, 100));
  tell("timers", order);
  await attempt("a pause", () => delay(1, "over"));
}

async function tellAbort(): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const order: string[] = [];
  const removed = (): unknown => order.push("removed");
  const removedMeanwhile = (): unknown => order.push("removed meanwhile");
  signal.addEventListener("abort", removed, { once: true });
  signal.removeEventListener("abort", removed);
  signal.addEventListener("abort", () => {
    order.push(`first, ${String(signal.aborted)}`);
    signal.removeEventListener("abort", removedMeanwhile);
  });
  const twice = (): unknown => order.push("registered twice");
  signal.addEventListener("abort", twice);
  signal.addEventListener("abort", twice);
  signal.addEventListener("abort", removedMeanwhile);
  const any = AbortSignal.any([new AbortController().signal, signal]);
  any.addEventListener("abort", () => order.push("any"), { once: true });
  tell("a signal before it is aborted", [signal.aborted, any.aborted]);
  const pause = delay(60_000, "over", { signal });
  controller.abort();
  controller.abort();
  signal.addEventListener("abort", () => order.push("too late"));
  tell("a signal that was aborted", [signal.aborted, any.aborted, AbortSignal.any([signal]).aborted, order]);
  tell("a pause that is given up", await pause.then(() => "over", () => "given up"));
  tell("one that is not begun", await delay(60_000, "over", { signal }).then(() => "over", () => "given up"));
  const timeout = AbortSignal.timeout(20);
  tell("a signal of time", timeout.aborted);
  await new Promise<void>((resolve) => {
    // such a signal does not keep Node alive
    const late = setTimeout(() => resolve(), 10_000);
    timeout.addEventListener("abort", () => {
      clearTimeout(late);
      resolve();
    });
  });
  tell("and after it", timeout.aborted);
}

async function tellAll(): Promise<void> {
  tellPaths();
  await tellProcess();
  tellRandom();
  tellTexts();
  tellFatal();
  tellEvents();
  await tellPromises();
  await tellTimers();
  await tellAbort();
}

export const done = tellAll();
