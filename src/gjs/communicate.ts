import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import type { Cancellable } from "../node/cancellable.js";
import { throwIfCancelled, whenCancelled } from "../node/cancellable.js";
import type { End, RunningProcess } from "../node/running-process.js";
import { cancelledError, ioError, sandboxError } from "../subprocess/glib-error.js";
import { watchDescriptor } from "./event-loop.js";
import { isGioError } from "./gio-error.js";
import { ownError } from "./own-error.js";
import type { PipeEnd } from "./pipe-ends.js";
import { setNonblocking, UnixInputStream, UnixOutputStream } from "./unix.js";

/*
 * Namesake of src/node/communicate.ts: the same over GIO's streams.
 */

/** What came out of a child's pipes; null for a stream without a pipe. */
export interface Output {
  readonly stdout: Uint8Array | null;
  readonly stderr: Uint8Array | null;
  readonly end: End;
}

/**
 * Writes all of `input`, reads all output, and waits for the end, all at once; done when all three are. The first error
 * counts: it closes the pipes, and leaves the process alone.
 *
 * @param maximum bytes that are taken from one stream
 * @throws GLibError `g-io-error-quark` CANCELLED, BROKEN_PIPE, CLOSED if the pipes have been used up, PENDING if they are
 *   in use; `gio-sandbox-error-quark` LIMIT_EXCEEDED for more output than `maximum`
 */
export async function communicate(
  process: RunningProcess,
  input: Uint8Array,
  maximum: number,
  cancellable: Cancellable | null,
): Promise<Output> {
  const { stdin, stdout, stderr } = pipesOf(process);
  throwIfCancelled(cancellable);
  const streams = [stdin, stdout, stderr].flatMap((pipe) => (pipe === null ? [] : [pipe.stream]));
  streams.forEach(checkUsable);
  for (const stream of streams) stream.set_pending();

  const transfers: Pick<Transfer, "stop">[] = [];
  const begin = <T extends Pick<Transfer, "stop">>(transfer: T): T => {
    transfers.push(transfer);
    return transfer;
  };
  const stop = new AbortController();
  let forget: () => void = () => undefined;
  const cancelled = new Promise<never>((_resolve, reject) => {
    forget = whenCancelled(cancellable, () => reject(cancelledError()));
  });
  try {
    const reading = (pipe: PipeEnd, word: string): Reading => begin(new Reading(pipe.descriptor, word, maximum));
    const work = Promise.all([
      process.wait(stop.signal),
      stdout && reading(stdout, "stdout").done,
      stderr && reading(stderr, "stderr").done,
      stdin && begin(new Writing(stdin, input)).done,
    ]);
    const [end, out, error] = await Promise.race([work, cancelled]);
    throwIfCancelled(cancellable);
    return { stdout: out, stderr: error, end };
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    forget();
    for (const transfer of transfers) transfer.stop();
    for (const stream of streams) {
      stream.clear_pending();
      stream.close(null);
    }
  }
}

type Pipes = Readonly<Record<"stdin" | "stdout" | "stderr", PipeEnd | null>>;

/** In this bundle they are those of our own pipe-ends.ts. */
function pipesOf({ pipes }: RunningProcess): Pipes {
  return pipes as unknown as Pipes;
}

function checkUsable(stream: Gio.InputStream | Gio.OutputStream): void {
  if (stream.is_closed()) throw ioError("CLOSED", "Source stream is already closed");
  if (stream.has_pending()) throw ioError("PENDING", "Stream has outstanding operation");
}

/** Something on its way through a pipe. The descriptor stays whose it is, and open until `stop()`. */
abstract class Transfer<T = never> {
  /** Settles with what came of it. */
  readonly done: Promise<T>;
  readonly stop: () => void;
  protected resolve!: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(descriptor: number, condition: GLib.IOCondition) {
    let reject: (error: unknown) => void = () => undefined;
    this.done = new Promise((resolve, rejectDone) => {
      this.resolve = resolve;
      reject = rejectDone;
    });
    this.#reject = reject;
    this.stop = watchDescriptor(descriptor, condition, () => this.#advance());
  }

  /** As far as it goes without waiting. */
  protected abstract advance(): void;

  #advance(): void {
    try {
      this.advance();
    } catch (error) {
      if (isGioError(error, Gio.IOErrorEnum.WOULD_BLOCK)) return;
      this.stop();
      this.#reject(ownError(error));
    }
  }
}

/** Takes all that a child writes. */
class Reading extends Transfer<Uint8Array> {
  readonly #input: Gio.InputStream;
  readonly #word: string;
  readonly #maximum: number;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #next = LEAST_CHUNK;

  constructor(descriptor: number, word: string, maximum: number) {
    setNonblocking(descriptor);
    super(descriptor, GLib.IOCondition.IN | GLib.IOCondition.HUP | GLib.IOCondition.ERR);
    this.#input = new UnixInputStream({ fd: descriptor, close_fd: false });
    this.#word = word;
    this.#maximum = maximum;
  }

  protected override advance(): void {
    const chunk = this.#input.read_bytes(this.#next, null).toArray();
    if (chunk.length === this.#next) this.#next = Math.min(2 * this.#next, CHUNK);
    if (chunk.length === 0) {
      this.stop();
      this.resolve(concatenated(this.#chunks, this.#length));
      return;
    }
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > this.#maximum) {
      throw sandboxError("LIMIT_EXCEEDED", `The child wrote more than ${this.#maximum} bytes to its ${this.#word}`);
    }
  }
}

/** Writes all that a child is to read, and closes the pipe then. */
class Writing extends Transfer<void> {
  readonly #output: Gio.OutputStream;
  readonly #stream: PipeEnd["stream"];
  #rest: Uint8Array;

  constructor({ descriptor, stream }: PipeEnd, input: Uint8Array) {
    setNonblocking(descriptor);
    super(descriptor, GLib.IOCondition.OUT | GLib.IOCondition.ERR);
    this.#output = new UnixOutputStream({ fd: descriptor, close_fd: false });
    this.#stream = stream;
    this.#rest = input;
  }

  protected override advance(): void {
    if (this.#rest.length > 0) {
      const written = this.#output.write_bytes(new GLib.Bytes(this.#rest.subarray(0, CHUNK)), null);
      this.#rest = this.#rest.subarray(written);
    }
    if (this.#rest.length > 0) return;
    this.stop();
    this.#stream.clear_pending();
    this.#stream.close(null);
    this.resolve();
  }
}

const CHUNK = 65536;

/** GLib keeps room for all that was asked for until the garbage is collected, however little has come: most children write little. */
const LEAST_CHUNK = 1024;

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
