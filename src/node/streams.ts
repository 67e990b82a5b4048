import { constants, open } from "node:fs";
import { promisify } from "node:util";
import type { Disposition, StreamSettings, SubprocessFlags } from "../subprocess/flags.js";
import { disposition, Stream } from "../subprocess/flags.js";
import { errnoMessage } from "../subprocess/errno.js";
import { ioErrorFromErrno } from "../subprocess/glib-error.js";
import type { ChildDescriptor } from "../subprocess/launch-request.js";
import { printable } from "../subprocess/printable.js";
import type { DescriptorScope } from "./descriptor-scope.js";
import { errnoOf } from "./system-failure.js";

/** The descriptors of a child to be, and what the parent keeps of them. */
export interface ChildStreams {
  readonly mapping: readonly ChildDescriptor[];
  /** The descriptors that the mapping's sources mean, in their order, owned by the scope. */
  readonly sources: readonly number[];
  /** The parent's ends of the pipes, by stream; owned by the scope. */
  readonly pipes: ReadonlyMap<Stream, number>;
}

/** Duplicates of what the caller gave, made at once, so that it may close its own after the call. */
export interface TakenDescriptors {
  readonly settings: StreamSettings;
  readonly table: readonly { readonly source: number; readonly target: number }[];
}

/** Takes duplicates of all descriptors that belong to the caller. */
export function duplicateTaken(
  flags: SubprocessFlags,
  settings: StreamSettings,
  table: TakenDescriptors["table"],
  scope: DescriptorScope,
): TakenDescriptors {
  const setting = (stream: Stream): StreamSettings[Stream] => {
    const { fd, path } = settings[stream];
    const kind = disposition(stream, flags, settings[stream]).kind;
    return { path, fd: kind === "fd" && fd !== null ? scope.duplicate(fd) : null };
  };
  return {
    settings: {
      [Stream.STDIN]: setting(Stream.STDIN),
      [Stream.STDOUT]: setting(Stream.STDOUT),
      [Stream.STDERR]: setting(Stream.STDERR),
    },
    table: table.map(({ source, target }) => ({ source: scope.duplicate(source), target })),
  };
}

/**
 * Opens what the flags say: pipes, files, the parent's own streams.
 *
 * @throws GLibError `g-io-error-quark` for a file that cannot be opened, `g-exec-error-quark` FAILED for a stream of the
 *   parent's that is closed
 */
export async function openStreams(
  flags: SubprocessFlags,
  taken: TakenDescriptors,
  scope: DescriptorScope,
): Promise<ChildStreams> {
  const builder = new StreamsBuilder(scope);
  for (const stream of [Stream.STDIN, Stream.STDOUT, Stream.STDERR]) {
    await builder.add(stream, disposition(stream, flags, taken.settings[stream]));
  }
  // after the standard streams, so that a target of 0 to 2 takes their place
  for (const { source, target } of taken.table) builder.map(target, source);
  return builder;
}

class StreamsBuilder implements ChildStreams {
  readonly mapping: ChildDescriptor[] = [];
  readonly sources: number[] = [];
  readonly pipes = new Map<Stream, number>();
  readonly #scope: DescriptorScope;

  constructor(scope: DescriptorScope) {
    this.#scope = scope;
  }

  map(target: number, descriptor: number): void {
    this.mapping.push({ target, source: this.sources.push(descriptor) - 1 });
  }

  async add(stream: Stream, { kind, ...rest }: Disposition): Promise<void> {
    switch (kind) {
      case "null":
        // what init gives to a standard stream that nothing else was said of
        return;
      case "inherit":
        { this.map(stream, this.#scope.duplicate(stream)); return; }
      case "pipe":
        { this.map(stream, await this.#pipe(stream)); return; }
      case "merge":
        { this.#merge(stream); return; }
      case "fd":
        if ("fd" in rest) this.map(stream, rest.fd);
        return;
      case "file":
        if ("path" in rest) this.map(stream, this.#scope.own(await openFile(stream, rest.path)));
        return;
    }
  }

  async #pipe(stream: Stream): Promise<number> {
    const [reading, writing] = await this.#scope.childPipe();
    this.pipes.set(stream, stream === Stream.STDIN ? writing : reading);
    return stream === Stream.STDIN ? reading : writing;
  }

  #merge(stream: Stream): void {
    const stdout = this.mapping.find(({ target }) => target === Stream.STDOUT);
    if (stdout !== undefined) this.mapping.push({ target: stream, source: stdout.source });
  }
}

const openDescriptor = promisify(open);

/** Not synchronously: opening a named pipe waits for its other end. */
async function openFile(stream: Stream, path: string): Promise<number> {
  const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC } = constants;
  const mode = stream === Stream.STDIN ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
  try {
    return await openDescriptor(path, mode, 0o666);
  } catch (cause) {
    const errno = errnoOf(cause);
    const message = `Error opening file “${printable(path)}”: ${errnoMessage(errno)}`;
    throw ioErrorFromErrno(errno, message, { cause });
  }
}
