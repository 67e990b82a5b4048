import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { env } from "node:process";
import { BusError } from "../../node/bus/bus-error.js";
import type { BusSignal, ConnectOptions, MethodCall, Subscription } from "../../node/bus/bus.js";
import type { MatchRule } from "../../node/bus/match-rule.js";
import { wellKnownBusAddress } from "../../node/bus/address.js";
import type { GLibError } from "../../subprocess/glib-error.js";
import { cancelledError, ioError } from "../../subprocess/glib-error.js";
import { addReminder, inPrivate, look, poll, within } from "../event-loop.js";
import { runJobs } from "../jobs.js";
import { ownError } from "../own-error.js";
import type { ConnectionEnd } from "./connection-end.js";
import { watchEnd } from "./connection-end.js";
import { readBody } from "./read-body.js";
import { closeDescriptors, writeBody } from "./message-writer.js";

/*
 * Namesake of src/node/bus/bus.ts, with GDBus behind it.
 *
 * GDBus tells of a reply, a signal or the end of a connection in one main context: that which was the thread's default when
 * it was asked for. All is asked for in the one that blocking calls wait in, so that such a call gets what an asynchronous
 * one began, and everything comes once and in order. While nothing blocks, nobody iterates that context, and GLib has no
 * descriptor of it to poll. So in the contexts in which somebody waits it is looked at what has come there:
 * - while a reply is missing, each millisecond;
 * - when GDBus tells of a signal there too. That is late enough: it puts a signal into all contexts, and only then lets the
 *   first subscriber hear of it;
 * - from when the socket hangs up until GDBus has told of the end, each millisecond.
 */

/** See src/node/bus/bus.ts. */
export async function connectToBus(where: string, { signal = null }: ConnectOptions = {}): Promise<Bus> {
  const address = where === "session" || where === "system" ? wellKnownBusAddress(where, env) : where;
  const late = AbortSignal.timeout(SIGN_IN_TIMEOUT);
  const stop = signal === null ? late : AbortSignal.any([signal, late]);
  try {
    const connection = await reply<Gio.DBusConnection>(stop, (cancellable, callback) => {
      Gio.DBusConnection.new_for_address(address, connectionFlags(), null, cancellable, (_source, result) =>
        callback(() => Gio.DBusConnection.new_for_address_finish(result)),
      );
    });
    return new Bus(connection);
  } catch (error) {
    if (late.aborted) throw ioError("TIMED_OUT", "The bus did not let us in in time", { cause: error });
    throw error;
  }
}

/** A client's connection to a message bus. */
export class Bus implements Disposable {
  /** Settles when the connection has ended, with the reason, or null if it was closed here. */
  readonly closed: Promise<GLibError | null>;
  readonly #connection: Gio.DBusConnection;
  readonly #end: ConnectionEnd;
  #isClosed = false;

  /** @param connection made in the context of `inPrivate()`, and not used by anybody else */
  constructor(connection: Gio.DBusConnection) {
    this.#connection = connection;
    this.#end = watchEnd(connection);
    this.closed = new Promise((resolve) => {
      const end = (cause: GLib.Error | null): void => {
        this.#end.forget();
        resolve(this.#isClosed ? null : ioError("CLOSED", "The bus closed the connection", { cause }));
        runJobs();
      };
      if (connection.is_closed()) end(null);
      else connection.connect("closed", (_connection, _vanished, error) => end(error));
    });
  }

  /** The unique name that the bus gave us. */
  get name(): string {
    return this.#connection.get_unique_name() ?? "";
  }

  /** See src/node/bus/bus.ts. */
  async call(call: MethodCall): Promise<readonly unknown[]> {
    const { destination, path, member, signature = "", body = [], signal = null, timeout = DEFAULT_CALL_TIMEOUT } = call;
    const { body: parameters, descriptors } = writeBody(signature, body);
    let isSent = false;
    try {
      const [value] = await reply<[GLib.Variant, Gio.UnixFDList | null]>(signal, (cancellable, callback) => {
        this.#connection.call_with_unix_fd_list(
          ...[destination, path, call.interface, member, parameters, null, Gio.DBusCallFlags.NONE],
          ...[Math.min(timeout, GLib.MAXINT32), descriptors, cancellable],
          (_source: unknown, result: Gio.AsyncResult) =>
            callback(() => this.#connection.call_with_unix_fd_list_finish(result)),
        );
      });
      isSent = true;
      return readBody(value);
    } catch (error) {
      isSent = error instanceof BusError;
      throw error;
    } finally {
      if (isSent) closeDescriptors(descriptors);
      else void this.#flush().then(() => closeDescriptors(descriptors));
    }
  }

  /** See src/node/bus/bus.ts. */
  async subscribe(rule: MatchRule, handler: (signal: BusSignal) => void): Promise<Subscription> {
    const { sender = null, path = null, member = null, arg0 = null } = rule;
    const subscribe = (tell: (signal: BusSignal) => void): (() => void) => {
      const id = this.#connection.signal_subscribe(
        ...[sender, rule.interface ?? null, member, path, arg0, Gio.DBusSignalFlags.NONE],
        (_connection: unknown, from: string | null, at: string, of: string, name: string, body: GLib.Variant) => {
          tell({ sender: from ?? "", path: at, interface: of, member: name, signature: signatureOf(body), body: readBody(body) });
          runJobs();
        },
      );
      return () => this.#connection.signal_unsubscribe(id);
    };
    const stops = [
      inPrivate(() => subscribe(handler)),
      addReminder((context) => within(context, () => subscribe(look))),
    ];
    // GDBus sends the rule without waiting: what is asked after it is answered after it
    await this.call({ ...bus, member: "GetId" });
    const dispose = (): void => {
      for (const stop of stops.splice(0)) stop();
    };
    return {
      [Symbol.dispose]: dispose,
      [Symbol.asyncDispose]: async () => {
        dispose();
        if (!this.#connection.is_closed()) await this.call({ ...bus, member: "GetId" });
      },
    };
  }

  unref(): void {
    // a main loop is what keeps a program of GJS's alive
  }

  ref(): void {
    // nor here
  }

  /** Ends the connection. Open calls are rejected with CLOSED. */
  close(): void {
    if (this.#isClosed || this.#connection.is_closed()) return;
    this.#isClosed = true;
    this.#end.expect();
    inPrivate(() => this.#connection.close(null, null));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Waits until nothing is to be sent any more. */
  async #flush(): Promise<void> {
    try {
      await reply(null, (cancellable, callback) => {
        this.#connection.flush(cancellable, (_source, result) => callback(() => this.#connection.flush_finish(result)));
      });
    } catch {
      // nor is it on a connection that has ended
    }
  }
}

function connectionFlags(): Gio.DBusConnectionFlags {
  return Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION;
}

const bus = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" } as const;

/** What GDBus and libdbus take, in milliseconds. */
const DEFAULT_CALL_TIMEOUT = 25_000;

/** How long a server has to let us in, in milliseconds. */
const SIGN_IN_TIMEOUT = 25_000;

/** Milliseconds after which a reply is noticed at the latest. */
const REPLY_INTERVAL = 1;

/** Starts something of GDBus's, and waits for what comes of it. */
async function reply<T>(
  signal: AbortSignal | null,
  start: (cancellable: Gio.Cancellable, callback: (finish: () => T) => void) => void,
): Promise<T> {
  if (signal?.aborted === true) throw cancelledError();
  const cancellable = new Gio.Cancellable();
  const abort = (): void => cancellable.cancel();
  signal?.addEventListener("abort", abort);
  const stop = poll(REPLY_INTERVAL);
  try {
    return await new Promise<T>((resolve, reject) => {
      inPrivate(() =>
        start(cancellable, (finish) => {
          try {
            resolve(finish());
          } catch (error) {
            reject(busError(error));
          }
          runJobs();
        }),
      );
    });
  } finally {
    stop();
    signal?.removeEventListener("abort", abort);
  }
}

function busError(error: unknown): Error {
  if (!(error instanceof GLib.Error)) return ownError(error);
  const failure = error;
  const name = Gio.DBusError.get_remote_error(failure);
  if (name === null || name === "") {
    return failure.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED)
      ? ioError("CLOSED", "The connection to the bus was closed")
      : ownError(error);
  }
  return new BusError(name, failure.message.replace(`GDBus.Error:${name}: `, ""));
}

function signatureOf(body: GLib.Variant): string {
  return body.get_type_string().slice(1, -1);
}
