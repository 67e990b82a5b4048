import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readdirSync, readSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { arch, env } from "node:process";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { REPLY_SIZE } from "../../src/gjs/system-call-protocol.js";
import { requiredSystemCalls } from "../../src/node/descriptor-scope.js";

const machine = arch === "arm64" ? "aarch64" : "x86_64";

export const service = fileURLToPath(new URL(`../../dist/native/${machine}/gio-sandbox-calls`, import.meta.url));
export const sanitizedService = fileURLToPath(new URL("../../build/sanitized/gio-sandbox-calls", import.meta.url));

export interface RequestWords {
  /** One of Operation, if it is right. */
  readonly operation: number;
  readonly a?: number;
  readonly b?: number;
  readonly data?: string | Uint8Array;
  /** What is said of the data's length, if not the truth. */
  readonly length?: number;
}

/** A request as it goes over the socket. */
export function encoded({ operation, a = 0, b = 0, data = "", length }: RequestWords): Buffer {
  const bytes = Buffer.from(data);
  const head = Buffer.alloc(16);
  [operation, a, b, length ?? bytes.length].forEach((word, index) => head.writeUInt32LE(word >>> 0, 4 * index));
  return Buffer.concat([head, bytes]);
}

export interface Reply {
  readonly result: number;
  readonly data: Buffer;
}

/** A gio-sandbox-calls, its socket in our hand. What is read from that is waited for, ten seconds at most. */
export class RunningService {
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #socket: number;
  #errors = "";
  #isOpen = true;

  constructor(program: string, cwd?: string) {
    const [ours, theirs] = requiredSystemCalls().socketPair();
    this.#socket = ours;
    setPatience(ours, 10);
    this.child = spawn(program, ["3"], {
      stdio: ["ignore", "ignore", "pipe", theirs],
      cwd,
      // what a sanitizer finds must show in the exit status, too
      env: { PATH: env["PATH"], ASAN_OPTIONS: "exitcode=99", UBSAN_OPTIONS: "exitcode=99:print_stacktrace=1" },
    });
    closeSync(theirs);
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    this.ended = once(this.child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  }

  get descriptorCount(): number {
    return readdirSync(`/proc/${this.child.pid ?? 0}/fd`).length;
  }

  call(request: RequestWords): Reply {
    this.write(encoded(request));
    const head = this.#read(REPLY_SIZE);
    return { result: head.readInt32LE(0), data: this.#read(head.readUInt32LE(4)) };
  }

  write(bytes: Uint8Array): void {
    writeSync(this.#socket, bytes);
  }

  /** The descriptors of the next message, which are ours to close. */
  receive(): number[] {
    return receiveDescriptors(this.#socket);
  }

  /** Writes all of this, takes what comes, and waits for the end. */
  async drown(bytes: Uint8Array): Promise<number | NodeJS.Signals> {
    const socket = new Socket({ fd: this.#socket, readable: true, writable: true });
    this.#isOpen = false;
    // the service may end before it has read everything
    socket.on("error", () => undefined).resume().end(bytes);
    const status = await this.ended;
    socket.destroy();
    return status;
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#socket);
    this.#isOpen = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    assert.notEqual(await this.ended, 99, this.#errors);
    assert.equal(this.#errors, "");
  }

  #read(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let filled = 0; filled < length; ) {
      const count = readUninterrupted(this.#socket, bytes, filled, length - filled);
      assert.ok(count > 0, `the service has ended: ${this.#errors}`);
      filled += count;
    }
    return bytes;
  }
}

const library = koffi.load(null);
const setsockopt = library.func("int setsockopt(int, int, int, void *, uint32_t)") as (
  ...words: [socket: number, level: number, option: number, value: Uint8Array, length: number]
) => number;
const recvmsg = library.func("int64_t recvmsg(int, void *, int)") as (
  ...words: [socket: number, header: Uint8Array, flags: number]
) => number;

// include/uapi/asm-generic/socket.h, include/linux/socket.h
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_CMSG_CLOEXEC = 0x40000000;

function setPatience(socket: number, seconds: number): void {
  const value = Buffer.alloc(16);
  value.writeBigInt64LE(BigInt(seconds));
  assert.equal(setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, value, value.length), 0);
}

const MSGHDR_SIZE = 56;
const CONTROL_SIZE = 64;
const CMSGHDR_SIZE = 16;

/** One recvmsg(2) for up to 16 bytes, of which one must come; its header, vector and room are in one piece of memory. */
function receiveDescriptors(socket: number): number[] {
  const header = Buffer.alloc(MSGHDR_SIZE + 16 + CONTROL_SIZE + 16);
  const [vector, control] = [MSGHDR_SIZE, MSGHDR_SIZE + 16];
  const address = koffi.address(header);
  header.writeBigUInt64LE(address + BigInt(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(address + BigInt(control), 32);
  header.writeBigUInt64LE(BigInt(CONTROL_SIZE), 40);
  header.writeBigUInt64LE(address + BigInt(control + CONTROL_SIZE), vector);
  header.writeBigUInt64LE(16n, vector + 8);
  assert.equal(recvmsg(socket, header, MSG_CMSG_CLOEXEC), 1);
  if (header.readBigUInt64LE(40) === 0n) return [];
  const count = (Number(header.readBigUInt64LE(control)) - CMSGHDR_SIZE) / 4;
  return Array.from({ length: count }, (_none, index) => header.readInt32LE(control + CMSGHDR_SIZE + 4 * index));
}

/** A read from a socket with a time-out is not begun again after a signal: signal(7). */
function readUninterrupted(socket: number, bytes: Buffer, offset: number, length: number): number {
  for (;;) {
    try {
      return readSync(socket, bytes, offset, length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EINTR") throw error;
    }
  }
}
