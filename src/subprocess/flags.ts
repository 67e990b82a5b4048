/** `GSubprocessFlags` (gio/gioenums.h): where the standard streams of a child go. */
export const SubprocessFlags = {
  /** Standard input is `/dev/null`, output and error are the parent's. */
  NONE: 0,
  /** Standard input is a pipe, whose other end is `getStdinPipe()`. */
  STDIN_PIPE: 1 << 0,
  /** Standard input is the parent's. */
  STDIN_INHERIT: 1 << 1,
  /** Standard output is a pipe, whose other end is `getStdoutPipe()`. */
  STDOUT_PIPE: 1 << 2,
  /** Standard output is `/dev/null`. */
  STDOUT_SILENCE: 1 << 3,
  /** Standard error is a pipe, whose other end is `getStderrPipe()`. */
  STDERR_PIPE: 1 << 4,
  /** Standard error is `/dev/null`. */
  STDERR_SILENCE: 1 << 5,
  /** Standard error goes where standard output goes. */
  STDERR_MERGE: 1 << 6,
  /**
   * In GIO: the child inherits all descriptors. In a sandbox nothing is inherited but what `takeFd()` names, so this
   * changes nothing.
   */
  INHERIT_FDS: 1 << 7,
  /** `argv[0]` is looked up in the PATH of the launcher's environment, in place of the sandbox's own. */
  SEARCH_PATH_FROM_ENVP: 1 << 8,
} as const;

/** A combination of `SubprocessFlags`. */
export type SubprocessFlags = number;

const allFlags = Object.values(SubprocessFlags).reduce((all, flag) => all | flag, 0);

/** The three standard streams, by the numbers of their descriptors. */
export const Stream = { STDIN: 0, STDOUT: 1, STDERR: 2 } as const;
export type Stream = (typeof Stream)[keyof typeof Stream];

type FlagName = keyof typeof SubprocessFlags;

const dispositions: Readonly<Record<Stream, { readonly word: string; readonly flags: readonly FlagName[] }>> = {
  [Stream.STDIN]: { word: "stdin", flags: ["STDIN_PIPE", "STDIN_INHERIT"] },
  [Stream.STDOUT]: { word: "stdout", flags: ["STDOUT_PIPE", "STDOUT_SILENCE"] },
  [Stream.STDERR]: { word: "stderr", flags: ["STDERR_PIPE", "STDERR_SILENCE", "STDERR_MERGE"] },
};

export function streamWord(stream: Stream): string {
  return dispositions[stream].word;
}

/** What a launcher was told about its standard streams beside its flags. */
export interface StreamOverrides {
  /** A descriptor from `takeStdinFd()` and its sisters, or null. */
  readonly fd: number | null;
  /** A path from `setStdinFilePath()` and its sisters, or null. */
  readonly path: string | null;
}

export type StreamSettings = Readonly<Record<Stream, StreamOverrides>>;

/** Throws a TypeError, in GIO's words, if any stream is given more than one disposition. */
export function checkDispositions(flags: SubprocessFlags, settings: StreamSettings): void {
  if (!Number.isInteger(flags) || flags < 0 || (flags & ~allFlags) !== 0) {
    throw new TypeError(`Expected a combination of SubprocessFlags, but got ${flags}.`);
  }
  for (const stream of Object.values(Stream)) checkStream(stream, flags, settings[stream]);
}

function checkStream(stream: Stream, flags: SubprocessFlags, { fd, path }: StreamOverrides): void {
  const { word, flags: names } = dispositions[stream];
  const given = names.filter((name) => (flags & SubprocessFlags[name]) !== 0).map((name) => `SubprocessFlags.${name}`);
  const method = `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
  if (fd !== null) given.push(`take${method}Fd()`);
  if (path !== null) given.push(`set${method}FilePath()`);
  if (given.length > 1) {
    throw new TypeError(
      `You may specify at most one disposition for the ${word} stream, but you specified: ${given.join(" ")}.`,
    );
  }
}

/** Where a standard stream comes from or goes to. */
export type Disposition =
  | { readonly kind: "null" }
  | { readonly kind: "inherit" }
  | { readonly kind: "pipe" }
  | { readonly kind: "merge" }
  | { readonly kind: "fd"; readonly fd: number }
  | { readonly kind: "file"; readonly path: string };

/** What flags and overrides say of one stream: flags first, then the descriptor, then the path, as in GIO. */
export function disposition(stream: Stream, flags: SubprocessFlags, { fd, path }: StreamOverrides): Disposition {
  return flagDisposition(stream, flags) ?? overrideDisposition(fd, path) ?? defaultDisposition(stream);
}

function flagDisposition(stream: Stream, flags: SubprocessFlags): Disposition | null {
  const has = (name: FlagName): boolean => (flags & SubprocessFlags[name]) !== 0;
  switch (stream) {
    case Stream.STDIN:
      return has("STDIN_INHERIT") ? { kind: "inherit" } : has("STDIN_PIPE") ? { kind: "pipe" } : null;
    case Stream.STDOUT:
      return has("STDOUT_SILENCE") ? { kind: "null" } : has("STDOUT_PIPE") ? { kind: "pipe" } : null;
    case Stream.STDERR:
      if (has("STDERR_SILENCE")) return { kind: "null" };
      return has("STDERR_PIPE") ? { kind: "pipe" } : has("STDERR_MERGE") ? { kind: "merge" } : null;
  }
}

function overrideDisposition(fd: number | null, path: string | null): Disposition | null {
  if (fd !== null) return { kind: "fd", fd };
  return path === null ? null : { kind: "file", path };
}

function defaultDisposition(stream: Stream): Disposition {
  return stream === Stream.STDIN ? { kind: "null" } : { kind: "inherit" };
}
