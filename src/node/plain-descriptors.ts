import { spawn } from "node:child_process";
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";

/*
 * What can be made of descriptors with what Node itself has, where koffi cannot be loaded. All that is made is
 * close-on-exec and the caller's to close.
 */

/**
 * Both ends of a pipe, to read from and to write to: one of a shell's, which the kernel lets us open through /proc as long
 * as that waits for us. A named pipe would be the easier way to one, but a child that opens the like again by
 * /dev/stdin waits until somebody opens the other end: fifo(7).
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if that does not work
 */
export async function plainPipe(): Promise<readonly [number, number]> {
  const shell = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"], env: {}, cwd: "/", timeout: PATIENCE });
  const ended = new Promise<unknown>((resolve) => shell.once("error", resolve).once("close", () => resolve(null)));
  shell.stdin.on("error", () => undefined);
  try {
    return openEnds(`/proc/${await firstLine(shell.stdout)}/fd/4`);
  } catch (error) {
    shell.stdin.end();
    throw unavailable((await ended) ?? error);
  } finally {
    shell.stdin.end();
    await ended;
  }
}

/** A shell with a pipe for its number 4 (1 it moves about while it writes) says its pid, and waits until its standard input ends. */
const script = "exec 3>&1; /bin/sh -c 'echo $$ >&3; read -r _' 4>&1 | :";

/** Milliseconds. */
const PATIENCE = 10_000;

/** What is said first, as far as it comes in one piece; empty if nothing is. */
async function firstLine(output: Readable): Promise<string> {
  for await (const chunk of output.setEncoding("latin1")) return String(chunk).trim();
  return "";
}

function openEnds(link: string): readonly [number, number] {
  const reading = openSync(link, constants.O_RDONLY);
  try {
    return [reading, openSync(link, constants.O_WRONLY)];
  } catch (error) {
    closeSync(reading);
    throw error;
  }
}

function unavailable(cause: unknown): GLibError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return sandboxError(
    "NOT_AVAILABLE",
    "No sandbox is available: the npm package koffi could not be loaded, and without it pipes are made by /bin/sh, " +
      `which did not work (${printable(what, 200)}). Install koffi.`,
    { cause },
  );
}

/** An empty file without a name, to read and write: in memory, where there is such a place. */
export function namelessFile(): number {
  return namelessFileIn("/dev/shm") ?? namelessFileIn(tmpdir()) ?? unlinkedFile();
}

/** @returns null if the directory is not there, or its file system cannot do this */
function namelessFileIn(directory: string): number | null {
  try {
    // with O_EXCL it cannot be given a name later on: open(2)
    return openSync(directory, O_TMPFILE | constants.O_RDWR | constants.O_EXCL, 0o600);
  } catch {
    return null;
  }
}

// include/uapi/asm-generic/fcntl.h, with O_DIRECTORY: node:fs does not have it
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

function unlinkedFile(): number {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  // for this user alone: mkdtemp(3)
  const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-"));
  try {
    return openSync(join(directory, "file"), O_RDWR | O_CREAT | O_EXCL, 0o600);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether this number is that of an open descriptor. */
export function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor);
    return true;
  } catch {
    return false;
  }
}

/** How many want each descriptor that was borrowed. */
const borrowed = new Map<number, number>();

/** Borrowed descriptors that their owner does not want any more. */
const unwanted = new Set<number>();

/** Keeps a descriptor open under its own number, in place of a duplicate, until `giveBack()`: see `closeUnlessBorrowed()`. */
export function borrow(descriptor: number): void {
  borrowed.set(descriptor, (borrowed.get(descriptor) ?? 0) + 1);
}

/** Undoes one `borrow()`. */
export function giveBack(descriptor: number): void {
  const others = (borrowed.get(descriptor) ?? 1) - 1;
  if (others > 0) {
    borrowed.set(descriptor, others);
    return;
  }
  borrowed.delete(descriptor);
  if (unwanted.delete(descriptor)) closeSync(descriptor);
}

/** Closes a descriptor for its owner: at once, or when the last who has borrowed it gives it back. */
export function closeUnlessBorrowed(descriptor: number): void {
  if (borrowed.has(descriptor)) unwanted.add(descriptor);
  else closeSync(descriptor);
}
