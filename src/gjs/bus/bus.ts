import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { env } from "node:process";
import { BusError } from "../../node/bus/bus-error.js";
import type { BusSignal, ConnectOptions, MethodCall, Subscription } from "../../node/bus/bus.js";
import type { MatchRule } from "../../node/bus/match-rule.js";
import { wellKnownBusAddress } from "../../node/bus/address.js";
import { cancelledError, ioError } from "../../subprocess/glib-error.js";
import { inPrivate, look, poll, within } from "../event-loop.js";
import { runJobs } from "../jobs.js";
import { ownError } from "../own-error.js";
import { readBody } from "./read-body.js";
import { writeBody } from "./message-writer.js";

/*
 * Namesake of src/node/bus/bus.ts, with GDBus behind it.
 *
 * GDBus tells of a reply or a signal in the main context that was the thread's default when that was asked for. All is asked
 * for in the one that blocking calls wait in, so that such a call gets what an asynchronous one began. While nothing blocks,
 * it is looked at what has come there: at short intervals while a reply is missing, and, for signals, when GDBus tells of
 * one in the default context too.
 */

/** See src/node/bus/bus.ts. */
export async function connectToBus(where: string, { signal = null }: ConnectOptions = {}): Promise<Bus> {
  const address = where === "session" || where === "system" ? wellKnownBusAddress(where, env) : where;
  const connection = await reply<Gio.DBusConnection>(signal, (cancellable, callback) => {
    Gio.DBusConnection.new_for_address(address, connectionFlags(), null, cancellable, (_source, result) =>
      callback(() => Gio.DBusConnection.new_for_address_finish(result)),
    );
  });
  return new Bus(connection);
}

/** A client's connection to a message bus. */
export class Bus implements Disposable {
  /** Settles when the connection has ended, with the reason, or null if it was closed here. */
  readonly closed: Promise<Error | null>;
  readonly #connection: Gio.DBusConnection;
  readonly #stops: (() => void)[] = [];

  /** @param connection made in the context of `inPrivate()`, and not used by anybody else */
  constructor(connection: Gio.DBusConnection) {
    this.#connection = connection;
    connection.set_exit_on_close(false);
    this.closed = new Promise((resolve) => {
      inPrivate(() => {
        connection.connect("closed", (_connection, _vanished, error) => {
          for (const stop of this.#stops.splice(0)) stop();
          resolve(error === null ? null : ownError(error));
          runJobs();
        });
      });
    });
    // its end is told of in one context only
    this.#stops.push(poll(END_INTERVAL));
  }

  /** The unique name that the bus gave us. */
  get name(): string {
    return this.#connection.get_unique_name() ?? "";
  }

  /** See src/node/bus/bus.ts. */
  async call(call: MethodCall): Promise<readonly unknown[]> {
    const { destination, path, member, signature = "", body = [], signal = null, timeout = DEFAULT_CALL_TIMEOUT } = call;
    if (signal?.aborted === true) throw cancelledError();
    const { body: parameters, descriptors } = writeBody(signature, body);
    const [value] = await reply<[GLib.Variant, Gio.UnixFDList | null]>(signal, (cancellable, callback) => {
      this.#connection.call_with_unix_fd_list(
        ...[destination, path, call.interface, member, parameters, null, Gio.DBusCallFlags.NONE],
        ...[Math.min(timeout, GLib.MAXINT32), descriptors, cancellable],
        (_source: unknown, result: Gio.AsyncResult) =>
          callback(() => this.#connection.call_with_unix_fd_list_finish(result)),
      );
    });
    return readBody(value);
  }

  /** See src/node/bus/bus.ts. */
  async subscribe(rule: MatchRule, handler: (signal: BusSignal) => void): Promise<Subscription> {
    const { sender = null, path = null, member = null, arg0 = null } = rule;
    const subscribe = (tell: (signal: BusSignal) => void): number =>
      this.#connection.signal_subscribe(
        ...[sender, rule.interface ?? null, member, path, arg0, Gio.DBusSignalFlags.NONE],
        (_connection: unknown, from: string | null, at: string, of: string, name: string, body: GLib.Variant) => {
          tell({ sender: from ?? "", path: at, interface: of, member: name, signature: signatureOf(body), body: readBody(body) });
          runJobs();
        },
      );
    const ids = [inPrivate(() => subscribe(handler)), within(GLib.MainContext.default(), () => subscribe(look))];
    // GDBus sends the rule without waiting: what is asked after it is answered after it
    await this.call({ ...bus, member: "GetId" });
    const dispose = (): void => {
      for (const id of ids.splice(0)) this.#connection.signal_unsubscribe(id);
    };
    return {
      [Symbol.dispose]: dispose,
      [Symbol.asyncDispose]: async () => {
        dispose();
        await this.call({ ...bus, member: "GetId" });
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
    if (!this.#connection.is_closed()) this.#connection.close(null, null);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function connectionFlags(): Gio.DBusConnectionFlags {
  return Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION;
}

const bus = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" } as const;

/** What GDBus and libdbus take, in milliseconds. */
const DEFAULT_CALL_TIMEOUT = 25_000;

/** Milliseconds after which the end of a connection is noticed at the latest. */
const END_INTERVAL = 500;

/** Milliseconds after which a reply is noticed at the latest. */
const REPLY_INTERVAL = 1;

/** Starts something of GDBus's, and waits for what comes of it. */
async function reply<T>(
  signal: AbortSignal | null,
  start: (cancellable: Gio.Cancellable, callback: (finish: () => T) => void) => void,
): Promise<T> {
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
