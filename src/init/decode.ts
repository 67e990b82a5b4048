import { sandboxError } from "../subprocess/glib-error.js";
import { ExitFlag, Frame, HEADER_SIZE, Refusal, Step, VERSION } from "./protocol.js";

/** What init reports. `process` is the number that the launcher gave. */
export type InitEvent =
  | { readonly type: "ready"; readonly landlockVersion: number }
  | { readonly type: "started"; readonly process: number; readonly pid: number }
  | LaunchFailure
  | ProcessExit
  | { readonly type: "empty" }
  | { readonly type: "refused"; readonly reason: Refusal };

/** A launch that came to nothing: no process is left of it. */
export interface LaunchFailure {
  readonly type: "failed";
  /** 0: it is the sandbox itself that could not be set up. */
  readonly process: number;
  readonly step: Step;
  /** Linux's number; 0 where `step` says so. */
  readonly errno: number;
  /** See `Step`. */
  readonly detail: number;
}

export interface ProcessExit {
  readonly type: "exited";
  readonly process: number;
  /** As waitpid(2) gives it: an exit or a signal, never a stop. */
  readonly status: number;
  /** It was killed because its timeout had come. */
  readonly timedOut: boolean;
  /** It was killed because the sandbox had gone over this limit of its watch. */
  readonly exceeded: "memory" | "processes" | null;
  /** At its end, however it came, one of the sandbox's file systems in memory had no room left. */
  readonly isTmpfsFull: boolean;
  readonly usage: ResourceUsage;
}

/** What a process used, with its children that it waited for: getrusage(2). */
export interface ResourceUsage {
  readonly userMicroseconds: number;
  readonly systemMicroseconds: number;
  readonly maximumResidentKibibytes: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly blocksIn: number;
  readonly blocksOut: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** From fork() to the end. */
  readonly wallMicroseconds: number;
}

/**
 * Turns the bytes that come from init into events.
 *
 * Init is not the child, but it lives next to it: everything it says is checked.
 */
export class FrameReader {
  #pending = new Uint8Array(0);

  /** Adds bytes as they came; the chunk may be reused afterwards. Take the events out with `next()`. */
  push(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    this.#pending = joined;
  }

  /**
   * The next event, or null if it is not complete yet.
   *
   * @throws GLibError `gio-sandbox-error-quark` SETUP_FAILED if this is not what init would say; nothing can be read
   *   any more then, and the same error comes again
   */
  next(): InitEvent | null {
    if (this.#pending.length < HEADER_SIZE) {
      return null;
    }
    const header = viewOf(this.#pending);
    const length = header.getUint32(0, true);
    const type = header.getUint32(4, true);
    const process = header.getUint32(8, true);

    const format = formats.get(type);
    if (format === undefined) {
      throw protocolError(`a frame of the unknown type ${type}`);
    }
    if (length !== format.length) {
      throw protocolError(`a frame of type ${type} with a body of ${length} bytes`);
    }
    if (format.isAboutProcess !== null && format.isAboutProcess === (process === 0)) {
      throw protocolError(`a frame of type ${type} about process ${process}`);
    }
    if (this.#pending.length < HEADER_SIZE + length) {
      return null;
    }
    const event = format.decode(viewOf(this.#pending.subarray(HEADER_SIZE, HEADER_SIZE + length)), process);
    this.#pending = this.#pending.subarray(HEADER_SIZE + length);
    return event;
  }

  /** Whether a frame has begun and is not complete: at the end of the socket, that is a loss. */
  get isInsideFrame(): boolean {
    return this.#pending.length > 0;
  }
}

interface Format {
  /** Bytes in the body. */
  readonly length: number;
  /** Null: it may be. */
  readonly isAboutProcess: boolean | null;
  readonly decode: (body: DataView, process: number) => InitEvent;
}

const formats: ReadonlyMap<number, Format> = new Map<number, Format>([
  [Frame.READY, { length: 8, isAboutProcess: false, decode: decodeReady }],
  [Frame.STARTED, { length: 4, isAboutProcess: true, decode: decodeStarted }],
  [Frame.FAILED, { length: 12, isAboutProcess: null, decode: decodeFailed }],
  [Frame.EXITED, { length: 88, isAboutProcess: true, decode: decodeExited }],
  [Frame.EMPTY, { length: 0, isAboutProcess: false, decode: () => ({ type: "empty" }) }],
  [Frame.REFUSED, { length: 4, isAboutProcess: false, decode: decodeRefused }],
]);

const MAX_PID = 2 ** 22;
const MAX_ERRNO = 4095;
const allExitFlags = Object.values(ExitFlag).reduce((all, flag) => all | flag, 0);

function decodeReady(body: DataView): InitEvent {
  const version = body.getUint32(0, true);
  if (version !== VERSION) {
    throw protocolError(`version ${version} of the protocol, not ${VERSION}`);
  }
  return { type: "ready", landlockVersion: body.getUint32(4, true) };
}

function decodeStarted(body: DataView, process: number): InitEvent {
  const pid = body.getUint32(0, true);
  if (pid < 2 || pid > MAX_PID) {
    throw protocolError(`a process with the pid ${pid}`);
  }
  return { type: "started", process, pid };
}

function decodeFailed(body: DataView, process: number): InitEvent {
  const step = body.getUint32(0, true);
  const errno = body.getUint32(4, true);
  if (!isMember(Step, step)) {
    throw protocolError(`a failure in the unknown step ${step}`);
  }
  if (errno > MAX_ERRNO) {
    throw protocolError(`the error number ${errno}`);
  }
  return { type: "failed", process, step, errno, detail: body.getUint32(8, true) };
}

function decodeExited(body: DataView, process: number): InitEvent {
  const status = body.getUint32(0, true);
  const flags = body.getUint32(4, true);
  if (!isEnd(status)) {
    throw protocolError(`the wait status ${status}`);
  }
  if ((flags & ~allExitFlags) !== 0) {
    throw protocolError(`the exit flags ${flags}`);
  }
  const figure = (index: number): number => Number(body.getBigUint64(8 + 8 * index, true));
  return {
    type: "exited",
    process,
    status,
    timedOut: (flags & ExitFlag.TIMED_OUT) !== 0,
    exceeded: (flags & ExitFlag.MEMORY) !== 0 ? "memory" : (flags & ExitFlag.PROCESSES) !== 0 ? "processes" : null,
    isTmpfsFull: (flags & ExitFlag.TMPFS_FULL) !== 0,
    usage: {
      userMicroseconds: figure(0),
      systemMicroseconds: figure(1),
      maximumResidentKibibytes: figure(2),
      minorFaults: figure(3),
      majorFaults: figure(4),
      blocksIn: figure(5),
      blocksOut: figure(6),
      voluntarySwitches: figure(7),
      involuntarySwitches: figure(8),
      wallMicroseconds: figure(9),
    },
  };
}

function decodeRefused(body: DataView): InitEvent {
  const reason = body.getUint32(0, true);
  if (!isMember(Refusal, reason)) {
    throw protocolError(`the unknown reason ${reason} for a refusal`);
  }
  return { type: "refused", reason };
}

/** Whether this is the wait status of a process that has ended: by exit, or by a signal, with or without a core. */
function isEnd(status: number): boolean {
  const signal = status & 0x7f;
  return signal === 0 ? (status & ~0xff00) === 0 : signal !== 0x7f && (status & ~0xff) === 0;
}

function isMember<T extends number>(table: Readonly<Record<string, T>>, value: number): value is T {
  return Object.values<number>(table).includes(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function protocolError(what: string): Error {
  return sandboxError("SETUP_FAILED", `The sandbox broke its protocol: it sent ${what}`);
}
