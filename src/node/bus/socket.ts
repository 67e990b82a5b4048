import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Socket, connect as connectStream } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { errnoByName } from "../../subprocess/errno.js";
import { ioError, ioErrorFromErrno } from "../../subprocess/glib-error.js";
import type { BusSocketAddress } from "./address.js";
import type { DescriptorPassing } from "../descriptor-stream.js";
import type { SystemCalls } from "../system-calls.js";
import { SystemCallFailure, systemCalls } from "../system-calls.js";

/** A connected stream socket that no child process inherits. */
export interface BusSocket {
  readonly stream: Socket;
  /** What sends descriptors over it; null without koffi. */
  readonly passing: DescriptorPassing | null;
}

/**
 * Connects to a socket.
 *
 * With koffi the socket is made by system calls of our own, since Node does not tell the number of a socket that it made
 * itself, and without the number no descriptor can be sent.
 *
 * @throws GLibError g-io-error, as of connect(2)
 */
export async function openBusSocket(address: BusSocketAddress, signal: AbortSignal): Promise<BusSocket> {
  try {
    const calls = systemCalls();
    if ("missing" in calls) return { stream: await connectByNode(address, signal), passing: null };
    const socket = await connectPatiently(calls, address, signal);
    return { stream: new Socket({ fd: socket, readable: true, writable: true }), passing: { calls, socket } };
  } catch (cause) {
    throw connectError(cause);
  }
}

/** A Unix socket whose server has a full queue says EAGAIN, and there is nothing to poll for. */
async function connectPatiently(calls: SystemCalls, address: BusSocketAddress, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      return calls.connect(address.kind, address.name);
    } catch (error) {
      if (!(error instanceof SystemCallFailure && error.errno === "EAGAIN")) throw error;
    }
    await delay(RETRY_INTERVAL, undefined, { signal });
  }
}

const RETRY_INTERVAL = 10;

async function connectByNode(address: BusSocketAddress, signal: AbortSignal): Promise<Socket> {
  const name = Buffer.from(address.name).toString("utf8");
  const stream = connectStream({ path: address.kind === "path" ? name : `\0${name}`, signal });
  await once(stream, "connect", { signal });
  return stream;
}

function connectError(cause: unknown): Error {
  if (cause instanceof SystemCallFailure) return ioErrorFromErrno(cause.errno, cause.message, { cause });
  const code = cause instanceof Error && "code" in cause ? errnoByName(String(cause.code)) : null;
  const message = cause instanceof Error ? cause.message : String(cause);
  return code === null ? ioError("FAILED", message, { cause }) : ioErrorFromErrno(code, message, { cause });
}
