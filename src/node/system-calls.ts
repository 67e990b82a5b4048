import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { endianness } from "node:os";
import type { Errno } from "../subprocess/errno.js";
import { errnoMessage, errnoOfNumber } from "../subprocess/errno.js";

/** System calls that Node does not have. Each descriptor that they make is close-on-exec, and the caller's to close. */
export interface SystemCalls {
  /**
   * A stream socket connected to `name`: close-on-exec, non-blocking, and the caller's to close.
   *
   * @throws SystemCallFailure as of socket(2) or connect(2); EAGAIN: the server's queue is full
   */
  connect(kind: "path" | "abstract", name: Uint8Array): number;
  /**
   * Sends `bytes`, and with the first of them `descriptors`, in one sendmsg(2). All the descriptors have gone if
   * anything has. They stay open here.
   *
   * @returns how many bytes went, or null if the socket is full
   * @throws SystemCallFailure as of sendmsg(2)
   */
  send(socket: number, bytes: Uint8Array, descriptors: readonly number[]): number | null;
  /**
   * A close-on-exec duplicate, the caller's to close.
   *
   * @throws SystemCallFailure as of fcntl(2)
   */
  duplicate(descriptor: number): number;
  isOpen(descriptor: number): boolean;
  /**
   * Makes sure that no other child of this process inherits the descriptor.
   *
   * @throws SystemCallFailure as of fcntl(2)
   */
  setCloseOnExec(descriptor: number): void;
  /**
   * A pipe: the end to read from, and the end to write to.
   *
   * @throws SystemCallFailure as of pipe2(2)
   */
  pipe(): readonly [number, number];
  /**
   * Two stream sockets that are connected to each other.
   *
   * @throws SystemCallFailure as of socketpair(2)
   */
  socketPair(): readonly [number, number];
  /**
   * A file in memory, empty and without a name that can be opened. `label` shows in /proc/PID/fd.
   *
   * @throws SystemCallFailure as of memfd_create(2)
   */
  memoryFile(label: string): number;
}

export class SystemCallFailure extends Error {
  override readonly name = "SystemCallFailure";
  readonly call: string;
  readonly errno: Errno;

  constructor(call: string, errno: Errno) {
    super(errnoMessage(errno));
    this.call = call;
    this.errno = errno;
  }
}

/** The calls, or why they cannot be had: koffi is loaded when they are first wanted. */
export function systemCalls(): SystemCalls | SystemCallsMissing {
  loaded ??= load();
  return loaded;
}

/**
 * Has koffi loaded only for what cannot be done without it. For a program that starts one process: to load koffi takes longer
 * than that saves it.
 */
export function spareKoffi(): void {
  isSpared = true;
}

let isSpared = false;

/** Whether koffi has been spared so far. */
export function isKoffiSpared(): boolean {
  return isSpared && loaded === null;
}

/** The calls, for who can do without them: null if koffi is spared, or cannot be had. */
export function callsAtHand(): SystemCalls | null {
  if (isKoffiSpared()) return null;
  const calls = systemCalls();
  return "missing" in calls ? null : calls;
}

export interface SystemCallsMissing {
  readonly missing: string;
  readonly cause: unknown;
}

let loaded: SystemCalls | SystemCallsMissing | null = null;

/** Koffi, if `systemCalls()` has loaded it already. */
export function loadedKoffi(): Koffi | null {
  return koffi;
}

let koffi: Koffi | null = null;

// include/linux/socket.h, include/uapi/asm-generic/socket.h and fcntl.h: the same on x86_64 and aarch64
const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const O_CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 1030;

/** Duplicates stay clear of the standard streams. */
const LOWEST_DUPLICATE = 3;

type Koffi = typeof import("koffi");

function load(): SystemCalls | SystemCallsMissing {
  try {
    const module = createRequire(import.meta.url)("koffi") as Koffi;
    const calls = bind(module);
    koffi = module;
    return calls;
  } catch (cause) {
    return { missing: "the npm package koffi could not be loaded", cause };
  }
}

function bind(koffi: Koffi): SystemCalls {
  if (koffi.sizeof("void *") !== 8 || endianness() !== "LE") {
    throw new Error("struct msghdr is known for 64-bit little-endian machines only");
  }
  // null is the program itself, which has its C library in it, be it glibc or musl
  const library = koffi.load(null);
  const socket = library.func("int socket(int, int, int)") as (domain: number, type: number, protocol: number) => number;
  const connect = library.func("int connect(int, void *, uint32_t)") as (
    socket: number,
    address: Uint8Array,
    length: number,
  ) => number;
  const sendmsg = library.func("int64_t sendmsg(int, void *, int)") as (
    socket: number,
    header: Uint8Array,
    flags: number,
  ) => number;
  const fcntl = library.func("int fcntl(int, int, ...)") as (
    descriptor: number,
    command: number,
    type: "int",
    argument: number,
  ) => number;
  const close = library.func("int close(int)") as (descriptor: number) => number;
  const pipe2 = library.func("int pipe2(void *, int)") as (descriptors: Int32Array, flags: number) => number;
  const socketpair = library.func("int socketpair(int, int, int, void *)") as (
    domain: number,
    type: number,
    protocol: number,
    descriptors: Int32Array,
  ) => number;
  const memfdCreate = library.func("int memfd_create(const char *, unsigned int)") as (
    label: string,
    flags: number,
  ) => number;

  const checked = (name: string, call: () => number): number => {
    for (;;) {
      const result = call();
      if (result >= 0) return result;
      const errno = errnoOfNumber(koffi.errno());
      if (errno !== "EINTR") throw new SystemCallFailure(name, errno);
    }
  };

  const pair = (name: string, call: (descriptors: Int32Array) => number): readonly [number, number] => {
    const descriptors = new Int32Array(2);
    checked(name, () => call(descriptors));
    return [descriptors[0] ?? -1, descriptors[1] ?? -1];
  };

  return {
    connect(kind, name) {
      const address = socketAddress(kind, name);
      const descriptor = checked("socket", () => socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      try {
        checked("connect", () => connect(descriptor, address, address.length));
      } catch (error) {
        close(descriptor);
        throw error;
      }
      return descriptor;
    },
    send(socket, bytes, descriptors) {
      const header = messageHeader(koffi, bytes, descriptors);
      try {
        return checked("sendmsg", () => sendmsg(socket, header, MSG_DONTWAIT | MSG_NOSIGNAL));
      } catch (error) {
        if (error instanceof SystemCallFailure && error.errno === "EAGAIN") return null;
        throw error;
      }
    },
    duplicate: (descriptor) => checked("fcntl", () => fcntl(descriptor, F_DUPFD_CLOEXEC, "int", LOWEST_DUPLICATE)),
    isOpen: (descriptor) => fcntl(descriptor, F_GETFD, "int", 0) >= 0,
    setCloseOnExec(descriptor) {
      checked("fcntl", () => fcntl(descriptor, F_SETFD, "int", FD_CLOEXEC));
    },
    pipe: () => pair("pipe2", (descriptors) => pipe2(descriptors, O_CLOEXEC)),
    socketPair: () =>
      pair("socketpair", (descriptors) => socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, descriptors)),
    memoryFile: (label) => checked("memfd_create", () => memfdCreate(label, MFD_CLOEXEC)),
  };
}

/** struct sockaddr_un: a path with a NUL behind it, an abstract name with one before it. */
function socketAddress(kind: "path" | "abstract", name: Uint8Array): Buffer {
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  const nul = Buffer.alloc(1);
  return Buffer.concat(kind === "path" ? [family, name, nul] : [family, nul, name]);
}

const MSGHDR_SIZE = 56;
const IOVEC_SIZE = 16;
const CMSGHDR_SIZE = 16;

/**
 * A struct msghdr, and behind it in the same memory, so that nothing is collected before the call, what it points to:
 * its struct iovec, and a struct cmsghdr with the descriptors. musl's smaller fields with their padding come to the
 * same on little-endian machines. `bytes` must live as long as the call.
 */
function messageHeader(koffi: Koffi, bytes: Uint8Array, descriptors: readonly number[]): Buffer {
  const vector = MSGHDR_SIZE;
  const control = vector + IOVEC_SIZE;
  const controlLength = CMSGHDR_SIZE + 4 * descriptors.length;
  const controlSpace = (controlLength + 7) & ~7;
  const header = Buffer.alloc(control + controlSpace);
  const address = koffi.address(header);

  header.writeBigUInt64LE(address + BigInt(vector), 16); // msg_iov
  header.writeBigUInt64LE(1n, 24); // msg_iovlen
  header.writeBigUInt64LE(address + BigInt(control), 32); // msg_control
  header.writeBigUInt64LE(BigInt(controlSpace), 40); // msg_controllen
  header.writeBigUInt64LE(koffi.address(bytes), vector);
  header.writeBigUInt64LE(BigInt(bytes.length), vector + 8);
  header.writeBigUInt64LE(BigInt(controlLength), control);
  header.writeInt32LE(SOL_SOCKET, control + 8);
  header.writeInt32LE(SCM_RIGHTS, control + 12);
  descriptors.forEach((descriptor, index) => header.writeInt32LE(descriptor, control + CMSGHDR_SIZE + 4 * index));
  return header;
}
