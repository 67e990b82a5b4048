import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync } from "node:fs";
import { Socket } from "node:net";
import { arch, env } from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { InitEvent, LaunchFailure, ProcessExit } from "../../src/init/decode.js";
import { FrameReader } from "../../src/init/decode.js";
import type { LaunchOrder } from "../../src/init/encode.js";
import { encodeHello, encodeLaunch } from "../../src/init/encode.js";
import { DescriptorScope, requiredSystemCalls } from "../../src/node/descriptor-scope.js";
import { smallest } from "../init/samples.js";

/** A gio-sandbox-init, and what it runs in: the command up to its own argument. */
export type InitCommand = readonly string[];

function built(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

const machine = arch === "arm64" ? "aarch64" : "x86_64";
export const init = built(`dist/native/${machine}/gio-sandbox-init`);
export const sanitizedInit = built("build/sanitized/gio-sandbox-init");
export const sanitizedInitByFork = built("build/sanitized/gio-sandbox-init-by-fork");
export const aarch64Init = built("dist/native/aarch64/gio-sandbox-init");

/** A pid namespace whose first process is the init, with the machine's files. */
export const inBubblewrap: InitCommand = [
  ...["bwrap", "--unshare-user", "--unshare-pid", "--as-pid-1", "--dev-bind", "/", "/", "--proc", "/proc"],
  ...["--cap-drop", "ALL", "--"],
];
/** The same, but its first process is bwrap's own. */
export const behindAnother: InitCommand = inBubblewrap.filter((word) => word !== "--as-pid-1");
export const inUnshare: InitCommand = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];

export interface InitOptions {
  /** What to start init with; a bubblewrap of its own if absent. */
  readonly prefix?: InitCommand;
  /** Descriptors that init inherits, from number 4 on. They stay the caller's. */
  readonly inherited?: readonly number[];
}

/**
 * Skips a test on a machine that lacks something, and says why; where everything has to be there, lets it fail.
 */
export function needs(context: Mocha.Context, isThere: boolean, what: string): void {
  if (isThere || env["CI"] === "true") return;
  console.log(`      skipped: ${what} is missing`);
  context.skip();
}

/** Whether such a namespace can be made here. */
export function canStart(prefix: InitCommand): boolean {
  const [program = "", ...words] = prefix;
  return spawnSync(program, [...words, "true"], { stdio: "ignore" }).status === 0;
}

export function hasProgram(path: string): boolean {
  return existsSync(path);
}

/** The control socket of an init, in our hand. */
export class InitSocket {
  readonly #socket: Socket;
  readonly #descriptor: number;
  readonly #reader = new FrameReader();
  readonly #events: (InitEvent | "end")[] = [];
  #wake: () => void = () => undefined;

  /** @param descriptor our end, which is taken over */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: true });
    this.#socket.on("data", (chunk) => this.#read(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => this.#add("end"));
  }

  /** Sends all of these bytes, the descriptors with the first of them. */
  async send(bytes: Uint8Array, descriptors: readonly number[] = []): Promise<void> {
    let rest = descriptors;
    for (let offset = 0; offset < bytes.length; ) {
      const sent = requiredSystemCalls().send(this.#descriptor, bytes.subarray(offset), rest);
      if (sent === null) await wait(1);
      else rest = [];
      offset += sent ?? 0;
    }
  }

  async launch(parts: Partial<LaunchOrder>, descriptors: readonly number[] = []): Promise<void> {
    await this.send(encodeLaunch({ ...smallest, ...parts }), descriptors);
  }

  /** The next event, or the end of the socket. */
  async next(): Promise<InitEvent | "end"> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The next event, which must be of this type. */
  async expect<T extends InitEvent["type"]>(type: T): Promise<Extract<InitEvent, { type: T }>> {
    const event = await this.next();
    assert.ok(event !== "end" && event.type === type, `${JSON.stringify(event)} came, not ${type}`);
    return event as Extract<InitEvent, { type: T }>;
  }

  /** Events up to the end of the socket. */
  async rest(): Promise<InitEvent[]> {
    const events: InitEvent[] = [];
    for (let event = await this.next(); event !== "end"; event = await this.next()) events.push(event);
    return events;
  }

  /** The next event, which must come at once, or null. */
  async soon(milliseconds: number): Promise<InitEvent | "end" | null> {
    await wait(milliseconds);
    return this.#events.shift() ?? null;
  }

  /** Runs one process in a sandbox that is empty, to its end. */
  async run(parts: Partial<LaunchOrder>, descriptors: readonly number[] = []): Promise<ProcessExit> {
    await this.launch(parts, descriptors);
    await this.expect("started");
    const exit = await this.expect("exited");
    await this.expect("empty");
    return exit;
  }

  /** Launches a process in a sandbox that is empty, which must fail. */
  async fail(parts: Partial<LaunchOrder>, descriptors: readonly number[] = []): Promise<LaunchFailure> {
    await this.launch(parts, descriptors);
    const failure = await this.expect("failed");
    await this.expect("empty");
    return failure;
  }

  /** Takes nothing from the socket, until `resume()`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends what we send; what init says is still heard. */
  endSending(): void {
    this.#socket.end();
  }

  /** Closes the control socket, as the death of the launcher would. */
  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    for (let event = this.#reader.next(); event !== null; event = this.#reader.next()) this.#add(event);
  }

  #add(event: InitEvent | "end"): void {
    this.#events.push(event);
    this.#wake();
  }
}

/** An init that was started. */
export class RunningInit extends InitSocket {
  /** Resolves with the exit code of what was started, which is that of init, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcess;
  #errors = "";

  private constructor(command: InitCommand, { prefix = inBubblewrap, inherited = [] }: InitOptions) {
    const [ours, theirs] = requiredSystemCalls().socketPair();
    super(ours);
    const [program, ...words] = [...prefix, ...command, "3"] as const;
    this.#child = spawn(program, words, {
      stdio: ["ignore", "ignore", "pipe", theirs, ...inherited],
      // what a sanitizer finds must show in the exit status, too
      env: { PATH: env["PATH"], ASAN_OPTIONS: "exitcode=99", UBSAN_OPTIONS: "exitcode=99:print_stacktrace=1" },
    });
    closeSync(theirs);
    this.ended = once(this.#child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
  }

  /** Starts one that has said nothing yet. */
  static silent(command: InitCommand, options: InitOptions = {}): RunningInit {
    return new RunningInit(command, options);
  }

  /** Starts one and says HELLO. */
  static async greeted(command: InitCommand, flags = 0, options: InitOptions = {}): Promise<RunningInit> {
    const running = new RunningInit(command, options);
    await running.send(encodeHello(flags));
    await running.expect("ready");
    return running;
  }

  /** What init, or what it runs in, has written to its standard error. */
  get errors(): string {
    // that the child runs on a stack of init's is what the sanitizer doubts, and is told twice
    return this.#errors.replaceAll(/^==\d+==WARNING: ASan is ignoring requested __asan_handle_no_return(?:.*\n){3}/gm, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    assert.notEqual(await this.ended, 99, this.#errors);
    assert.equal(this.errors, "");
  }
}

/** A pipe to send to a child, and to read what it writes. */
export class Output {
  /** The end for the child. */
  readonly end: number;
  readonly #scope = new DescriptorScope();
  readonly #socket: Socket;
  #text = "";
  #wake: () => void = () => undefined;
  readonly #closed: Promise<unknown>;

  constructor() {
    const [reading, writing] = requiredSystemCalls().pipe();
    this.end = this.#scope.own(writing);
    this.#socket = new Socket({ fd: reading, readable: true, writable: false });
    this.#socket.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    this.#closed = once(this.#socket, "close");
  }

  /** Closes our copy of the child's end. */
  given(): void {
    this.#scope[Symbol.dispose]();
  }

  /** All that is written, up to the end of the last who can write. */
  async all(): Promise<string> {
    this.given();
    await this.#closed;
    return this.#text;
  }

  /** Waits for so many characters and takes them. */
  async take(length: number): Promise<string> {
    while (this.#text.length < length) await new Promise<void>((resolve) => (this.#wake = resolve));
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return taken;
  }

  [Symbol.dispose](): void {
    this.given();
    this.#socket.destroy();
  }
}
