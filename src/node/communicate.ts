import type { Socket } from "node:net";
import { cancelledError, ioError, ioErrorFromErrno, sandboxError } from "../subprocess/glib-error.js";
import type { Cancellable } from "./cancellable.js";
import { throwIfCancelled, whenCancelled } from "./cancellable.js";
import type { End, RunningProcess } from "./running-process.js";
import { errnoOf } from "./system-failure.js";

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
  const { stdin, stdout, stderr } = process.pipes;
  const pipes = [stdin, stdout, stderr].filter((pipe) => pipe !== null);
  throwIfCancelled(cancellable);
  if (stdin !== null) reserve(stdin, stdin.writableEnded);
  for (const pipe of [stdout, stderr]) if (pipe !== null) reserve(pipe, pipe.readableEnded);

  const stop = new AbortController();
  let forget: () => void = () => undefined;
  const cancelled = new Promise<never>((_resolve, reject) => {
    forget = whenCancelled(cancellable, () => reject(cancelledError()));
  });
  try {
    const work = Promise.all([
      process.wait(stop.signal),
      stdout && readAll(stdout, "stdout", maximum),
      stderr && readAll(stderr, "stderr", maximum),
      stdin && writeAll(stdin, input),
    ]);
    const [end, out, error] = await Promise.race([work, cancelled]);
    throwIfCancelled(cancellable);
    return { stdout: out, stderr: error, end };
  } catch (error) {
    stop.abort();
    pipes.forEach((pipe) => pipe.destroy());
    throw error;
  } finally {
    forget();
  }
}

const inUse = new WeakSet<Socket>();

function reserve(pipe: Socket, isUsedUp: boolean): void {
  if (pipe.destroyed || isUsedUp) throw ioError("CLOSED", "Source stream is already closed");
  if (inUse.has(pipe)) throw ioError("PENDING", "Stream has outstanding operation");
  inUse.add(pipe);
}

function readAll(pipe: Socket, word: string, maximum: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    pipe.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maximum) {
        reject(sandboxError("LIMIT_EXCEEDED", `The child wrote more than ${maximum} bytes to its ${word}`));
      }
    });
    pipe.on("end", () => resolve(concatenated(chunks, length)));
    pipe.on("error", (error) => reject(ioErrorFromErrno(errnoOf(error), error.message, { cause: error })));
    pipe.on("close", () => reject(ioError("CLOSED", "Stream is already closed")));
  });
}

function writeAll(pipe: Socket, input: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    pipe.on("error", (error) => {
      const errno = errnoOf(error);
      const message = errno === "EPIPE" ? "Error writing to file descriptor: Broken pipe" : error.message;
      reject(ioErrorFromErrno(errno, message, { cause: error }));
    });
    pipe.on("close", () => reject(ioError("CLOSED", "Stream is already closed")));
    pipe.end(input, () => resolve());
  });
}

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
