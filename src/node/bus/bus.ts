import { cancelledError, ioError } from "../../subprocess/glib-error.js";
import type { GLibError } from "../../subprocess/glib-error.js";
import { printable } from "../../subprocess/printable.js";
import { parseBusAddress, wellKnownBusAddress } from "./address.js";
import { BusError } from "./bus-error.js";
import type { BusConnection } from "./connection.js";
import { openConnection } from "./connection.js";
import type { BusMessage, BusMessageFields } from "./dbus-next-parts.js";
import { MessageFlag, MessageType } from "./dbus-next-parts.js";
import type { MatchRule } from "./match-rule.js";
import { PendingCalls } from "./pending-calls.js";
import { NameOwner, SignalSubscription } from "./subscription.js";

export interface ConnectOptions {
  /** Gives up the attempt. */
  readonly signal?: AbortSignal | null;
}

/**
 * Connects to the session bus, to the system bus, or to the bus at an address, and says hello.
 *
 * The session bus is at DBUS_SESSION_BUS_ADDRESS, else at `$XDG_RUNTIME_DIR/bus`; the system bus is at
 * DBUS_SYSTEM_BUS_ADDRESS, else at its usual place.
 *
 * @throws GLibError g-io-error: NOT_FOUND, CONNECTION_REFUSED, PERMISSION_DENIED and the like, for the last address that
 *   was tried; INVALID_ARGUMENT, not an address; CANCELLED; TIMED_OUT; gio-sandbox-error NOT_AVAILABLE, without dbus-next
 */
export async function connectToBus(where: string, options: ConnectOptions = {}): Promise<Bus> {
  const connection = await openConnection(parseBusAddress(busAddress(where)), options.signal ?? null);
  const bus = new Bus(connection);
  try {
    await bus.hello(options.signal ?? null);
  } catch (error) {
    bus.close();
    throw error;
  }
  return bus;
}

/** The address that `where` stands for: "session" and "system" are looked up in the environment. */
export function busAddress(where: string): string {
  return where === "session" || where === "system" ? wellKnownBusAddress(where, process.env) : where;
}

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Of the body; empty if absent. */
  readonly signature?: string;
  /** Plain values, as `writeMessage` says. An `h` is the number of a descriptor, which stays the caller's. */
  readonly body?: readonly unknown[];
  /** Gives up the call: what it does at the other end is not undone. */
  readonly signal?: AbortSignal | null;
  /** Milliseconds, Infinity for none. */
  readonly timeout?: number;
}

/** What GDBus and libdbus take, in milliseconds. */
export const DEFAULT_CALL_TIMEOUT = 25_000;

/** A signal as a subscriber gets it. Descriptors in the body are not taken: they are undefined. */
export interface BusSignal {
  /** The unique name of its sender. */
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** A subscription to signals, until it is disposed of: then its match rule is gone from the bus too. */
export interface Subscription extends Disposable, AsyncDisposable {
  /** No signal comes after this. The bus is told, but not waited for. */
  [Symbol.dispose](): void;
  /** The same; settles when the bus has forgotten the rule, or the connection has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client's connection to a message bus. */
export class Bus implements Disposable {
  /** The unique name that the bus gave us. */
  name = "";
  /** Settles when the connection has ended, with the reason, or null if it was closed here. */
  readonly closed: Promise<GLibError | null>;
  readonly #connection: BusConnection;
  readonly #pending: PendingCalls;
  readonly #signalHandlers = new Set<(signal: BusMessage) => void>();
  #serial = 0;

  /** @param connection not used by anybody else */
  constructor(connection: BusConnection) {
    this.#connection = connection;
    this.#pending = new PendingCalls(connection.stream);
    this.closed = new Promise((resolve) => {
      connection.once("end", (reason) => {
        this.#signalHandlers.clear();
        this.#pending.rejectAll(reason ?? ioError("CLOSED", "The connection to the bus was closed"));
        resolve(reason);
      });
    });
    connection.on("message", (message) => this.#receive(message));
  }

  /** The id of the server that we are connected to. */
  get guid(): string {
    return this.#connection.guid;
  }

  /** Introduces us to the bus, once, before anything else. */
  async hello(signal: AbortSignal | null): Promise<void> {
    const [name] = await this.#callBus("Hello", [], signal);
    this.name = String(name);
  }

  /**
   * Calls a method and waits for its reply.
   *
   * @returns the body of the reply
   * @throws BusError g-io-error DBUS_ERROR: the peer, or the bus for it, answered with an error
   * @throws GLibError g-io-error TIMED_OUT, CANCELLED, CLOSED (the connection ended); before anything is sent:
   *   gio-sandbox-error LIMIT_EXCEEDED, more than 16 descriptors; NOT_AVAILABLE, no descriptor can be sent; g-io-error
   *   INVALID_ARGUMENT, a descriptor is not open
   * @throws TypeError: the body is not what the signature says
   */
  async call(call: MethodCall): Promise<readonly unknown[]> {
    const { signal = null, timeout = DEFAULT_CALL_TIMEOUT } = call;
    if (signal?.aborted === true) throw cancelledError();
    const serial = this.#send(call);
    const what = printable(`${call.interface}.${call.member}`);
    const reply = await this.#pending.add(serial, what, timeout, signal);
    if (reply.type === MessageType.ERROR) throw errorOf(reply);
    return reply.body;
  }

  /**
   * Has `handler` called with every signal that matches. Signals that were sent to us alone come too, without the bus's
   * doing. Whose they are is checked here: a well-known name as the sender means its owner, followed as it changes.
   */
  async subscribe(rule: MatchRule, handler: (signal: BusSignal) => void): Promise<Subscription> {
    const owner = rule.sender === undefined ? null : new NameOwner(rule.sender);
    const subscription = new SignalSubscription(rule, owner, handler, {
      add: (text) => this.#callBus("AddMatch", [text], null),
      remove: (text) => this.#callBus("RemoveMatch", [text], null),
      listen: (listener) => this.#signalHandlers.add(listener),
      unlisten: (listener) => this.#signalHandlers.delete(listener),
      ownerOf: (name) => this.#ownerOf(name),
    });
    await subscription.start();
    return subscription;
  }

  /** Lets the process end while nothing but this connection would keep it; a call that is under way still does. */
  unref(): void {
    this.#pending.keepsIdleProcess(false);
  }

  ref(): void {
    this.#pending.keepsIdleProcess(true);
  }

  /** Ends the connection. Open calls are rejected with CLOSED. */
  close(): void {
    this.#connection.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #callBus(member: string, names: readonly string[], signal: AbortSignal | null): Promise<readonly unknown[]> {
    return this.call({
      destination: BUS_NAME,
      path: "/org/freedesktop/DBus",
      interface: BUS_NAME,
      member,
      signature: "s".repeat(names.length),
      body: names,
      signal,
    });
  }

  /** Null if nobody has the name. */
  async #ownerOf(name: string): Promise<string | null> {
    try {
      const [owner] = await this.#callBus("GetNameOwner", [name], null);
      return String(owner);
    } catch (error) {
      if (error instanceof BusError && error.remoteName === "org.freedesktop.DBus.Error.NameHasNoOwner") return null;
      throw error;
    }
  }

  #send(call: MethodCall): number {
    this.#serial += 1;
    const { destination, path, member, signature = "", body = [] } = call;
    const message = { destination, path, interface: call.interface, member, signature, body };
    this.#connection.message({ type: MessageType.METHOD_CALL, serial: this.#serial, ...message });
    return this.#serial;
  }

  #receive(message: BusMessage): void {
    switch (message.type) {
      case MessageType.METHOD_RETURN:
      case MessageType.ERROR:
        this.#pending.settle(message);
        return;
      case MessageType.SIGNAL:
        for (const handler of [...this.#signalHandlers]) handler(message);
        return;
      default:
        this.#refuse(message);
    }
  }

  /** We are a client: nothing here can be called. */
  #refuse(call: BusMessage): void {
    if (call.serial === null || (call.flags & MessageFlag.NO_REPLY_EXPECTED) !== 0) return;
    this.#serial += 1;
    const refusal: BusMessageFields = {
      type: MessageType.ERROR,
      serial: this.#serial,
      flags: MessageFlag.NO_REPLY_EXPECTED,
      replySerial: call.serial,
      destination: call.sender,
      errorName: "org.freedesktop.DBus.Error.UnknownMethod",
    };
    this.#connection.message(refusal);
  }
}

function errorOf(reply: BusMessage): BusError {
  const [text] = reply.body;
  return new BusError(reply.errorName ?? "", typeof text === "string" ? text : "");
}

const BUS_NAME = "org.freedesktop.DBus";
