import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { ProcessCalls } from "./process-calls.js";
import { processCalls } from "./process-calls.js";

/** How a helper program ended: by its exit, or by a signal. Both are null if nobody knows. */
export interface HelperEnd {
  readonly exitCode: number | null;
  /** SIGKILL, or its like. */
  readonly signal: string | null;
}

/** A program that carries a sandbox: bwrap. It keeps the program alive until `unref()`. */
export interface HelperProcess {
  /** Null: it could not be started. */
  readonly pid: number | null;
  /** Settles when it has ended; rejects if it could not be started. */
  readonly ended: Promise<HelperEnd>;
  unref(): void;
  /** Undoes `unref()`. */
  ref(): void;
}

/** What a helper has under a number: one of the caller's descriptors, which stays that; /dev/null; or a socket, whose other end is taken. */
export type HelperDescriptor = number | null | ((ours: Socket) => void);

/**
 * Starts one, with no environment, in the root directory.
 *
 * @param descriptors what it has as number 0, 1, and so on; a socket only while koffi is not loaded
 */
export function startHelperProcess(
  program: string,
  argv: readonly string[],
  descriptors: readonly HelperDescriptor[],
): HelperProcess {
  const calls = processCalls();
  return calls === null ? startChild(program, argv, descriptors) : startSpawned(calls, program, argv, descriptors.map(withoutSocket));
}

function withoutSocket(descriptor: HelperDescriptor): number | null {
  if (typeof descriptor === "function") throw new TypeError("Only Node itself makes a socket with a child");
  return descriptor;
}

function startChild(program: string, argv: readonly string[], descriptors: readonly HelperDescriptor[]): HelperProcess {
  const stdio = descriptors.map((descriptor) => (typeof descriptor === "function" ? "pipe" : (descriptor ?? "ignore")));
  const child = spawn(program, argv, { stdio, env: {}, cwd: "/" });
  for (const [number, descriptor] of descriptors.entries()) {
    if (typeof descriptor === "function") descriptor(child.stdio[number] as Socket);
  }
  const ended = new Promise<HelperEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  return { pid: child.pid ?? null, ended, unref: () => child.unref(), ref: () => child.ref() };
}

function startSpawned(
  calls: ProcessCalls,
  program: string,
  argv: readonly string[],
  descriptors: readonly (number | null)[],
): HelperProcess {
  try {
    return new SpawnedProcess(calls, calls.spawn(program, argv, descriptors));
  } catch (error) {
    const ended = Promise.reject<HelperEnd>(error instanceof Error ? error : new Error(String(error)));
    return { pid: null, ended, unref: () => undefined, ref: () => undefined };
  }
}

/** A child of which Node does not know. */
class SpawnedProcess implements HelperProcess {
  readonly pid: number;
  readonly ended: Promise<HelperEnd>;
  readonly #calls: ProcessCalls;
  #resolve!: (end: HelperEnd) => void;

  constructor(calls: ProcessCalls, pid: number) {
    this.pid = pid;
    this.#calls = calls;
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
    unended.add(this);
    this.ref();
    watch(calls);
  }

  /** Looks whether it has ended. */
  look(): void {
    const end = this.#calls.reap(this.pid);
    if (end === null) return;
    unended.delete(this);
    this.unref();
    this.#resolve(end);
  }

  unref(): void {
    awaited.delete(this);
    setAlive();
  }

  ref(): void {
    if (!unended.has(this)) return;
    awaited.add(this);
    setAlive();
  }
}

const unended = new Set<SpawnedProcess>();

/** Those for which the program stays alive. */
const awaited = new Set<SpawnedProcess>();

let timer: NodeJS.Timeout | null = null;

/** Milliseconds between looks, in case somebody else has taken the signal's handler away. */
const LOOK_INTERVAL = 1000;

function watch(calls: ProcessCalls): void {
  if (timer !== null) return;
  calls.onChildEnd(look);
  timer = setInterval(look, LOOK_INTERVAL);
  setAlive();
}

function look(): void {
  for (const helper of unended) helper.look();
}

function setAlive(): void {
  if (awaited.size > 0) timer?.ref();
  else timer?.unref();
}
