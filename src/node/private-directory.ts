import { closeSync, constants, fstatSync, openSync, rmdirSync, unlinkSync, writeSync } from "node:fs";
import { geteuid } from "node:process";
import type { DescriptorScope } from "./descriptor-scope.js";

// include/uapi/asm-generic/fcntl.h
const O_PATH = 0o10000000;

/** A directory for this user alone, known by a descriptor: what is in it is found there, wherever its name leads by now. */
export class PrivateDirectory {
  readonly path: string;
  readonly #descriptor: number;

  /**
   * Opens one that is there.
   *
   * @throws Error if it is another's, or open to others
   */
  constructor(path: string, scope: DescriptorScope) {
    const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
    this.path = path;
    this.#descriptor = scope.own(openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_RDONLY));
    const { uid, mode } = fstatSync(this.#descriptor);
    if (uid !== geteuid?.() || (mode & 0o077) !== 0) throw new Error(`${path} is not for this user alone`);
  }

  /** An O_PATH descriptor of something in it, owned by the scope. */
  open(name: string, scope: DescriptorScope): number {
    return scope.own(openSync(this.#inside(name), O_PATH | constants.O_NOFOLLOW));
  }

  /** Makes a file, which must not be there yet. */
  write(name: string, text: string): void {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    const file = openSync(this.#inside(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
  }

  /** Removes files of it, and the directory if it is empty then. What is gone already is no error. */
  remove(names: readonly string[]): void {
    for (const name of names) ifThere(() => unlinkSync(this.#inside(name)));
    ifThere(() => rmdirSync(this.path));
  }

  #inside(name: string): string {
    return `/proc/self/fd/${this.#descriptor}/${name}`;
  }
}

function ifThere(remove: () => void): void {
  try {
    remove();
  } catch {
    // it has gone, or something else is in it
  }
}
