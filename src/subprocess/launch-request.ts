import type { Environment } from "./environment.js";

/** A command to be launched in a sandbox, whichever backend it will be. */
export interface CommandRequest {
  /** Not empty, no NUL: see `checkArguments()`. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** A path inside the sandbox. */
  readonly directory: string;
  /** Where `argv[0]` is looked up, inside the sandbox, if it contains no slash. */
  readonly searchPath: string;
  /** Milliseconds of wall-clock time that the child may take, or null for no limit. */
  readonly timeout: number | null;
  /** The child's descriptors in the order in which they are made: of equal targets the last wins. */
  readonly descriptors: readonly ChildDescriptor[];
}

/** One descriptor of the child. */
export interface ChildDescriptor {
  /** Its number in the child. */
  readonly target: number;
  /** Which of the shell's descriptors it is: an index into the list that the shell keeps. */
  readonly source: number;
}
