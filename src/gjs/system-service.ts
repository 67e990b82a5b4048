import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";
import { errnoNumber } from "../subprocess/errno.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { duplicateDescriptor } from "./duplicate-descriptor.js";
import { servicePath } from "./service-path.js";
import { connectedSockets } from "./socket-pair.js";
import type { Operation } from "./system-call-protocol.js";
import { MAX_DATA, MAX_PATH, REPLY_SIZE, REQUEST_SIZE } from "./system-call-protocol.js";

/** A system call for gio-sandbox-calls: see system-call-protocol.ts. */
export interface ServiceRequest {
  readonly operation: Operation;
  readonly a?: number;
  readonly b?: number;
  readonly data?: Uint8Array;
  /** How many descriptors it makes if it succeeds. */
  readonly makes?: number;
}

export interface ServiceReply {
  /** What the system call returned, or a negative error number. */
  readonly result: number;
  readonly data: Uint8Array;
  /** Close-on-exec, and the caller's to close. */
  readonly descriptors: readonly number[];
}

/**
 * Has a system call made, and waits for it. The service is started at first use, and again if it has died.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if it cannot be started, or dies meanwhile
 */
export function callService(request: ServiceRequest): ServiceReply {
  const message = encode(request);
  if (running?.send(message) !== true) {
    running?.close();
    running = startService();
    if (!running.send(message)) throw unavailable("it ended at once");
  }
  try {
    return running.receive(request.makes ?? 0);
  } catch (cause) {
    running.close();
    running = null;
    throw unavailable("it ended meanwhile", cause);
  }
}

let running: Service | null = null;

class Service {
  readonly #socket: Gio.Socket;
  readonly #connection: Gio.UnixConnection;
  readonly #input: Gio.InputStream;

  constructor(socket: Gio.Socket) {
    this.#socket = socket;
    this.#connection = new Gio.UnixConnection({ socket });
    this.#input = this.#connection.get_input_stream();
  }

  /**
   * Over the socket itself: with GLib before 2.82 a stream that writes to a service that has died would end the program by
   * SIGPIPE.
   *
   * @returns whether there is a service to hear it
   */
  send(message: Uint8Array): boolean {
    try {
      for (let sent = 0; sent < message.length; ) sent += this.#socket.send(message.subarray(sent), null);
      return true;
    } catch (error) {
      if (error instanceof Gio.IOErrorEnum) return false;
      throw error;
    }
  }

  receive(makes: number): ServiceReply {
    // what is read together with a descriptor's byte loses that descriptor
    const most = makes > 0 ? REPLY_SIZE : REPLY_SIZE + MAX_PATH;
    const head = this.#read(REPLY_SIZE, most);
    const view = new DataView(head.buffer, head.byteOffset);
    const result = view.getInt32(0, true);
    const length = REPLY_SIZE + view.getUint32(4, true);
    const reply = head.length < length ? joined(head, this.#read(length - head.length, length - head.length)) : head;
    const data = reply.subarray(REPLY_SIZE);
    if (result < 0) return { result, data, descriptors: [] };
    const descriptors = this.#receiveDescriptors(makes);
    return descriptors === null ? { result: -errnoNumber("EMFILE"), data, descriptors: [] } : { result, data, descriptors };
  }

  close(): void {
    this.#connection.close(null);
  }

  /** @returns null if this process can have no more, for which the kernel leaves them out of their messages */
  #receiveDescriptors(count: number): readonly number[] | null {
    const received = Array.from({ length: count }, () => this.#receiveDescriptor());
    const descriptors = received.filter((descriptor) => descriptor !== null);
    if (descriptors.length === count) return descriptors;
    for (const descriptor of descriptors) GLib.close(descriptor);
    return null;
  }

  #receiveDescriptor(): number | null {
    try {
      return this.#connection.receive_fd(null);
    } catch (error) {
      if (error instanceof GLib.Error) return null;
      throw error;
    }
  }

  #read(least: number, most: number): Uint8Array {
    const bytes = this.#input.read_bytes(most, null).toArray();
    if (bytes.length === 0) throw new Error("The socket has ended");
    return bytes.length >= least ? bytes : joined(bytes, this.#read(least - bytes.length, most - bytes.length));
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

const noData = new Uint8Array(0);

function encode({ operation, a = 0, b = 0, data = noData }: ServiceRequest): Uint8Array {
  if (data.length > MAX_DATA) throw new RangeError(`Expected at most ${MAX_DATA} bytes, but got ${data.length}.`);
  const message = new Uint8Array(REQUEST_SIZE + data.length);
  const view = new DataView(message.buffer);
  [operation, a, b, data.length].forEach((word, index) => view.setUint32(4 * index, word, true));
  message.set(data, REQUEST_SIZE);
  return message;
}

const SOCKET_NUMBER = 3;

function startService(): Service {
  try {
    const [ours, theirs] = connectedSockets();
    const { INHERIT_FDS, STDOUT_SILENCE, STDERR_SILENCE } = Gio.SubprocessFlags;
    // so GLib need not copy our memory map with fork(): the service closes what is not for it
    const launcher = new Gio.SubprocessLauncher({ flags: INHERIT_FDS | STDOUT_SILENCE | STDERR_SILENCE });
    launcher.set_environ([]);
    // a launcher closes what it has taken
    launcher.take_fd(duplicateDescriptor(theirs.get_fd()), SOCKET_NUMBER);
    theirs.close();
    launcher.spawnv([servicePath(), String(SOCKET_NUMBER)]);
    launcher.close();
    return new Service(ours);
  } catch (cause) {
    throw unavailable("it could not be started", cause);
  }
}

function unavailable(what: string, cause: unknown = null): Error {
  const reason = cause instanceof GLib.Error || cause instanceof Error ? `: ${cause.message}` : "";
  const message = `No sandbox is available: GJS needs the program gio-sandbox-calls, and ${what}${reason}`;
  return sandboxError("NOT_AVAILABLE", message, { cause });
}
