import type { Socket } from "node:net";
import type { GLibError } from "../../subprocess/glib-error.js";
import { cancelledError, ioError } from "../../subprocess/glib-error.js";
import type { BusMessage } from "./dbus-next-parts.js";

interface PendingCall {
  resolve(reply: BusMessage): void;
  reject(error: GLibError): void;
}

/** Calls that wait for their replies, by serial. While there is one, the process is kept alive. */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  readonly #stream: Socket;
  #keepsIdleProcess = true;

  constructor(stream: Socket) {
    this.#stream = stream;
  }

  /** @param timeout milliseconds, Infinity for none */
  async add(serial: number, what: string, timeout: number, signal: AbortSignal | null): Promise<BusMessage> {
    const cancel = (): void => this.#reject(serial, cancelledError());
    const timer = timeout > MAX_TIMER
      ? null
      : setTimeout(() => this.#reject(serial, ioError("TIMED_OUT", `No reply to ${what} within ${timeout} ms`)), timeout);
    signal?.addEventListener("abort", cancel);
    try {
      return await new Promise<BusMessage>((resolve, reject) => {
        this.#calls.set(serial, { resolve, reject });
        this.#keepOrLet();
      });
    } finally {
      clearTimeout(timer ?? undefined);
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** A reply to a call that has been given up is dropped. */
  settle(reply: BusMessage): void {
    if (reply.replySerial !== undefined) this.#take(reply.replySerial)?.resolve(reply);
  }

  rejectAll(error: GLibError): void {
    for (const serial of [...this.#calls.keys()]) this.#reject(serial, error);
  }

  /** Whether the connection keeps the process alive when no call is open. */
  keepsIdleProcess(keeps: boolean): void {
    this.#keepsIdleProcess = keeps;
    this.#keepOrLet();
  }

  #reject(serial: number, error: GLibError): void {
    this.#take(serial)?.reject(error);
  }

  #take(serial: number): PendingCall | undefined {
    const call = this.#calls.get(serial);
    this.#calls.delete(serial);
    this.#keepOrLet();
    return call;
  }

  #keepOrLet(): void {
    if (this.#stream.destroyed) return;
    if (this.#keepsIdleProcess || this.#calls.size > 0) this.#stream.ref();
    else this.#stream.unref();
  }
}

/** The longest that setTimeout() can wait. */
const MAX_TIMER = 2 ** 31 - 1;
