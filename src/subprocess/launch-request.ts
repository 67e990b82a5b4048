import type { Environment } from "./environment.js";

/** One descriptor of the child. */
export interface DescriptorMapping<Source> {
  /** Its number in the child. */
  readonly target: number;
  readonly source: Source;
}

/** A command to be launched in a sandbox, whichever backend it will be. */
export interface CommandRequest {
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** A path inside the sandbox. */
  readonly directory: string;
  /** Where `argv[0]` is looked up inside the sandbox if it contains no slash. */
  readonly searchPath: string;
  /** Milliseconds of wall-clock time that the child may take, or null for no limit. */
  readonly timeout: number | null;
}
