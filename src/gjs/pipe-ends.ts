import type Gio from "gi://Gio?version=2.0";
import { UnixInputStream, UnixOutputStream } from "./unix.js";

/*
 * Namesake of src/node/pipe-ends.ts: GIO's streams, as Gio.Subprocess has them.
 */

/** The parent's end of a pipe to a child, in the stream that the application gets. */
export class PipeEnd<Stream extends Gio.InputStream | Gio.OutputStream = Gio.InputStream | Gio.OutputStream> {
  readonly stream: Stream;
  /** As long as the stream is not closed. */
  readonly descriptor: number;

  constructor(stream: Stream, descriptor: number) {
    this.stream = stream;
    this.descriptor = descriptor;
  }

  /** Closes it, unless somebody is in the middle of something with it: then that has the stream. */
  destroy(): void {
    if (!this.stream.has_pending()) this.stream.close(null);
  }
}

/** A stream to write to the child's standard input. It owns the descriptor. */
export function writingEnd(descriptor: number): PipeEnd<Gio.OutputStream> {
  return new PipeEnd(new UnixOutputStream({ fd: descriptor, close_fd: true }), descriptor);
}

/** A stream to read the child's output from. It owns the descriptor. */
export function readingEnd(descriptor: number): PipeEnd<Gio.InputStream> {
  return new PipeEnd(new UnixInputStream({ fd: descriptor, close_fd: true }), descriptor);
}
