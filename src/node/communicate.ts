import type { Socket } from "node:net";
import { errnoMessage } from "../subprocess/errno.js";
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
  if (stdin !== null) checkUsable(stdin, stdin.destroyed || stdin.writableEnded);
  for (const pipe of [stdout, stderr]) {
    if (pipe !== null) checkUsable(pipe, (pipe.destroyed || pipe.readableEnded) && !endedEmpty(pipe));
  }
  for (const pipe of pipes) {
    inUse.add(pipe);
    used.add(pipe);
  }

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
    pipes.forEach((pipe) => inUse.delete(pipe));
  }
}

/** Pipes that somebody communicates over at this moment. */
const inUse = new WeakSet<Socket>();

/** Pipes that somebody has communicated over. */
const used = new WeakSet<Socket>();

function checkUsable(pipe: Socket, isUsedUp: boolean): void {
  if (inUse.has(pipe)) throw ioError("PENDING", "Stream has outstanding operation");
  if (used.has(pipe) || isUsedUp) throw ioError("CLOSED", "Source stream is already closed");
}

/** Node reads ahead: a pipe without a byte in it ends although nobody has read it. */
function endedEmpty(pipe: Socket): boolean {
  return pipe.readableEnded && pipe.bytesRead === 0;
}

function readAll(pipe: Socket, word: string, maximum: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (endedEmpty(pipe)) {
      resolve(new Uint8Array(0));
      return;
    }
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
    pipe.on("error", (cause) => {
      const errno = errnoOf(cause);
      reject(ioErrorFromErrno(errno, `Error writing to file descriptor: ${errnoMessage(errno)}`, { cause }));
    });
    pipe.on("finish", resolve);
    pipe.on("close", () => reject(ioError("CLOSED", "Stream is already closed")));
    pipe.end(input);
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
