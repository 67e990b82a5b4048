import type { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { GLibError, cancelledError, ioError } from "../../subprocess/glib-error.js";
import { printable } from "../../subprocess/printable.js";
import type { BusAddressEntry, BusSocketAddress } from "./address.js";
import type { BusMessage, BusMessageFields, DBusNextParts } from "./dbus-next-parts.js";
import { MessageFlag, MessageType, dbusNextParts } from "./dbus-next-parts.js";
import type { ServerGreeting } from "./handshake.js";
import { signIn } from "./handshake.js";
import { MessageReader } from "./message-reader.js";
import { MessageSplitter } from "./message-splitter.js";
import { writeMessage } from "./message-writer.js";
import { Outgoing } from "./outgoing.js";
import type { BusSocket } from "./socket.js";
import { openBusSocket } from "./socket.js";

/** How long a server has to let us in, in milliseconds. */
const SIGN_IN_TIMEOUT = 25_000;

/** The name of the error that a call gets as its reply when the connection ends before the true one. */
export const DISCONNECTED = "org.freedesktop.DBus.Error.Disconnected";

interface ConnectionEvents {
  message: [message: BusMessage];
  /**
   * Once: nothing comes from the bus any more. The reason is null if it was we who closed. Behind it come messages of
   * our own, one ERROR for each call that is still open.
   */
  end: [reason: GLibError | null];
  /** Never emitted; dbus-next listens to it. */
  error: [error: Error];
}

/**
 * A connection on which messages go to and fro, of the shape that dbus-next's MessageBus runs over. The stream is for
 * that alone. No child process inherits its socket.
 */
export class BusConnection extends EventEmitter<ConnectionEvents> {
  readonly stream: Socket;
  /** The server's id. */
  readonly guid: string;
  readonly #parts: DBusNextParts;
  readonly #outgoing: Outgoing;
  readonly #splitter = new MessageSplitter();
  readonly #reader: MessageReader;
  readonly #unanswered = new Set<number>();
  #reason: GLibError | null = ioError("CLOSED", "The bus closed the connection");

  constructor(parts: DBusNextParts, socket: BusSocket, greeting: ServerGreeting) {
    super();
    this.stream = socket.stream;
    this.guid = greeting.guid;
    this.#parts = parts;
    this.#outgoing = new Outgoing(socket, greeting.passesDescriptors);
    this.#reader = new MessageReader(parts);
    this.stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.stream.on("error", (cause) => {
      this.#reason = ioError("CLOSED", `The connection to the bus broke: ${cause.message}`, { cause });
    });
    this.stream.once("close", () => this.#finish());
  }

  /**
   * Sends a message. Descriptors in it stay the caller's, who may close them once this has returned.
   *
   * @throws TypeError and GLibError as `writeMessage` and `Outgoing.send`
   */
  message(message: BusMessageFields): void {
    const isCall = message.type === MessageType.METHOD_CALL;
    this.#outgoing.send(writeMessage(this.#parts, message));
    const serial = message.serial ?? null;
    if (isCall && serial !== null && ((message.flags ?? 0) & MessageFlag.NO_REPLY_EXPECTED) === 0) {
      this.#unanswered.add(serial);
    }
  }

  /** Closes the connection, now: what has not left is lost. */
  end(): void {
    this.#reason = null;
    this.stream.destroy();
  }

  #receive(chunk: Buffer): void {
    let messages: Buffer[];
    try {
      messages = this.#splitter.push(chunk);
    } catch (error) {
      this.stream.destroy(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    for (const bytes of messages) {
      const message = this.#reader.read(bytes);
      if (message !== null) this.#deliver(message);
    }
  }

  #deliver(message: BusMessage): void {
    if (message.replySerial !== undefined) this.#unanswered.delete(message.replySerial);
    this.emit("message", message);
  }

  /** Answers every open call itself: dbus-next's MessageBus would let them wait for ever. */
  #finish(): void {
    this.emit("end", this.#reason);
    const text = this.#reason?.message ?? "The connection to the bus was closed";
    for (const replySerial of [...this.#unanswered]) {
      this.#deliver(
        new this.#parts.Message({
          type: MessageType.ERROR,
          replySerial,
          errorName: DISCONNECTED,
          signature: "s",
          body: [text],
        }),
      );
    }
  }
}

/**
 * Connects to the first entry of an address list that lets us in.
 *
 * @throws GLibError of the last entry, with what became of each in its message; g-io-error CANCELLED; TIMED_OUT
 */
export async function openConnection(
  entries: readonly BusAddressEntry[],
  signal: AbortSignal | null,
): Promise<BusConnection> {
  const parts = dbusNextParts();
  const failures: { readonly text: string; readonly error: GLibError }[] = [];
  for (const entry of entries) {
    try {
      if (signal?.aborted === true) throw cancelledError();
      if (entry.kind === "unusable") throw ioError("NOT_SUPPORTED", entry.reason);
      return await connectTo(parts, entry, signal);
    } catch (error) {
      if (signal?.aborted === true) throw cancelledError();
      failures.push({ text: entry.text, error: asGLibError(error) });
    }
  }
  throw couldNotConnect(failures);
}

async function connectTo(
  parts: DBusNextParts,
  address: BusSocketAddress,
  signal: AbortSignal | null,
): Promise<BusConnection> {
  const deadline = AbortSignal.timeout(SIGN_IN_TIMEOUT);
  const stop = signal === null ? deadline : AbortSignal.any([signal, deadline]);
  const socket = await openBusSocket(address, stop);
  try {
    return new BusConnection(parts, socket, await signIn(socket.stream, address.guid, stop));
  } catch (error) {
    socket.stream.on("error", () => undefined);
    socket.stream.destroy();
    throw deadline.aborted ? ioError("TIMED_OUT", "The bus did not let us in in time", { cause: error }) : error;
  }
}

function couldNotConnect(failures: readonly { readonly text: string; readonly error: GLibError }[]): GLibError {
  const last = failures.at(-1)?.error ?? ioError("INVALID_ARGUMENT", "the address list is empty");
  const story = failures.map(({ text, error }) => `${printable(text)} (${error.message})`).join("; ");
  return new GLibError(last.domain, last.code, `Could not connect to the bus: ${story}`, { cause: last });
}

function asGLibError(error: unknown): GLibError {
  if (error instanceof GLibError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return ioError("FAILED", message, { cause: error });
}
