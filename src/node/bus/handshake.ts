import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { GLibError } from "../../subprocess/glib-error.js";
import { ioError } from "../../subprocess/glib-error.js";
import { printable } from "../../subprocess/printable.js";

/** What the server said while we signed in. */
export interface ServerGreeting {
  /** 32 hexadecimal digits. */
  readonly guid: string;
  readonly passesDescriptors: boolean;
}

/**
 * Signs in to a bus ("Authentication Protocol" in the D-Bus specification) with the mechanism EXTERNAL and an empty
 * identity: the server takes the one that the kernel reports. A user id that we wrote ourselves would be wrong in a user
 * namespace, where it has another number than outside.
 *
 * @param expectedGuid what the address says, or null
 * @throws GLibError g-io-error PERMISSION_DENIED (rejected), INVALID_DATA (not the server that the address means, or not
 *   a bus), CLOSED, or what the stream failed with
 */
export async function signIn(stream: Socket, expectedGuid: string | null, signal: AbortSignal): Promise<ServerGreeting> {
  const lines = new LineReader(stream, signal);
  try {
    stream.write("\0AUTH EXTERNAL\r\n");
    if (isCommand(await lines.next(), "DATA")) stream.write("DATA\r\n");
    else throw lines.refusal();

    const guid = /^OK ([0-9a-fA-F]{32})$/.exec(await lines.next())?.[1]?.toLowerCase();
    if (guid === undefined) throw lines.refusal();
    if (expectedGuid !== null && guid !== expectedGuid) {
      throw ioError("INVALID_DATA", `The bus has the id ${guid}, not ${expectedGuid} as its address says`);
    }

    stream.write("NEGOTIATE_UNIX_FD\r\n");
    const passesDescriptors = isCommand(await lines.next(), "AGREE_UNIX_FD");
    stream.write("BEGIN\r\n");
    return { guid, passesDescriptors };
  } finally {
    lines.release();
  }
}

function isCommand(line: string, command: string): boolean {
  return line === command || line.startsWith(`${command} `);
}

/** Far more than a server has to say, and far less than one could send. */
const MAX_LINE = 4096;

class LineReader {
  readonly #stream: Socket;
  readonly #signal: AbortSignal;
  #received = Buffer.alloc(0);
  #last = "";
  #failure: GLibError | Error | null = null;
  #wake: () => void = () => undefined;

  constructor(stream: Socket, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    stream.on("data", this.#onData);
    stream.on("error", this.#onError);
    stream.on("close", this.#onClose);
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf("\r\n");
      if (end >= 0 && end <= MAX_LINE) {
        this.#last = this.#received.toString("latin1", 0, end);
        this.#received = this.#received.subarray(end + 2);
        return this.#last;
      }
      if (this.#received.length > MAX_LINE) throw ioError("INVALID_DATA", "What answered is not a D-Bus server");
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The error for a line that is not the one that had to come. */
  refusal(): GLibError {
    return isCommand(this.#last, "REJECTED")
      ? ioError("PERMISSION_DENIED", "The bus refused our identity")
      : ioError("INVALID_DATA", `The bus answered “${printable(this.#last)}” while we signed in`);
  }

  release(): void {
    this.#stream.off("data", this.#onData);
    this.#stream.off("error", this.#onError);
    this.#stream.off("close", this.#onClose);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onData = (data: Buffer): void => {
    this.#received = Buffer.concat([this.#received, data]);
    this.#wake();
  };

  readonly #onError = (error: Error): void => this.#fail(error);

  readonly #onClose = (): void => this.#fail(ioError("CLOSED", "The bus closed the connection while we signed in"));

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal.reason;
    this.#fail(reason instanceof Error ? reason : ioError("CANCELLED", "Operation was cancelled"));
  };

  #fail(failure: Error): void {
    this.#failure ??= failure;
    this.#wake();
  }
}
