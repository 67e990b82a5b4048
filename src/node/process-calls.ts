import { Buffer } from "node:buffer";
import { constants } from "node:os";
import process from "node:process";
import { isMainThread } from "node:worker_threads";
import { errnoOfNumber } from "../subprocess/errno.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import { exitStatus, ifExited, termSignal } from "../subprocess/wait-status.js";
import type { HelperEnd } from "./helper-process.js";
import { loadedKoffi, SystemCallFailure } from "./system-calls.js";

/** Starting processes in the way that does not copy this program's memory map first, as fork(2) would: posix_spawn(3). */
export interface ProcessCalls {
  /**
   * Starts a program with no environment, in the root directory, with no signal blocked or ignored (but 32 and 33, which glibc
   * keeps for itself). All our descriptors are close-on-exec but those that somebody has made otherwise.
   *
   * @param descriptors what it has as number 0, 1, and so on; null is /dev/null. They stay the caller's
   * @returns its pid: the caller reaps it
   * @throws SystemCallFailure as of execve(2)
   */
  spawn(program: string, argv: readonly string[], descriptors: readonly (number | null)[]): number;
  /** Reaps a child, if it has ended. @returns null if it has not */
  reap(pid: number): HelperEnd | null;
  /** Has a function called whenever a child of this program has ended, from now on. It does not keep the program alive. */
  onChildEnd(look: () => void): void;
}

/**
 * Null where that cannot be had: before koffi has been loaded for something else, with a C library that has no
 * posix_spawn_file_actions_addchdir_np(3), and in a worker thread, which nobody tells of the end of a child.
 */
export function processCalls(): ProcessCalls | null {
  const koffi = loadedKoffi();
  if (koffi === null || !isMainThread) return null;
  calls ??= bind(koffi);
  return calls === "missing" ? null : calls;
}

let calls: ProcessCalls | "missing" | null = null;

type Koffi = NonNullable<ReturnType<typeof loadedKoffi>>;

// include/uapi/asm-generic/fcntl.h: the same on x86_64 and aarch64
const O_RDWR = 2;
const F_DUPFD_CLOEXEC = 1030;
// spawn.h of glibc and of musl
const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
const WNOHANG = 1;

/** More than any C library has for posix_spawn_file_actions_t (80), posix_spawnattr_t (336), sigset_t (128): bytes. */
const OPAQUE = 512;

function bind(koffi: Koffi): ProcessCalls | "missing" {
  try {
    return bound(koffi);
  } catch {
    return "missing";
  }
}

type Call<Parameters extends readonly unknown[]> = (...parameters: Parameters) => number;

function bound(koffi: Koffi): ProcessCalls {
  const library = koffi.load(null);
  const initActions = library.func("int posix_spawn_file_actions_init(void *)") as Call<[Buffer]>;
  const addDuplicate = library.func("int posix_spawn_file_actions_adddup2(void *, int, int)") as Call<[Buffer, number, number]>;
  const addOpen = library.func(
    "int posix_spawn_file_actions_addopen(void *, int, const char *, int, unsigned int)",
  ) as Call<[Buffer, number, string, number, number]>;
  const addDirectory = library.func("int posix_spawn_file_actions_addchdir_np(void *, const char *)") as Call<[Buffer, string]>;
  const destroyActions = library.func("int posix_spawn_file_actions_destroy(void *)") as Call<[Buffer]>;
  const initAttributes = library.func("int posix_spawnattr_init(void *)") as Call<[Buffer]>;
  const setFlags = library.func("int posix_spawnattr_setflags(void *, short)") as Call<[Buffer, number]>;
  const setDefaults = library.func("int posix_spawnattr_setsigdefault(void *, void *)") as Call<[Buffer, Buffer]>;
  const setMask = library.func("int posix_spawnattr_setsigmask(void *, void *)") as Call<[Buffer, Buffer]>;
  const fillSet = library.func("int sigfillset(void *)") as Call<[Buffer]>;
  const posixSpawn = library.func(
    "int posix_spawn(void *, const char *, void *, void *, void *, void *)",
  ) as Call<[Buffer, string, Buffer, Buffer, Buffer, Buffer]>;
  const waitpid = library.func("int waitpid(int, void *, int)") as Call<[number, Buffer, number]>;
  const fcntl = library.func("int fcntl(int, int, ...)") as Call<[number, number, "int", number]>;
  const close = library.func("int close(int)") as Call<[number]>;

  /** 0, or else an error number, is what all of these return. */
  const check = (name: string, error: number): void => {
    if (error !== 0) throw new SystemCallFailure(name, errnoOfNumber(error));
  };

  const attributes = Buffer.alloc(OPAQUE);
  const signals = Buffer.alloc(OPAQUE);
  check("posix_spawnattr_init", initAttributes(attributes));
  check("posix_spawnattr_setsigmask", setMask(attributes, signals));
  fillSet(signals);
  check("posix_spawnattr_setsigdefault", setDefaults(attributes, signals));
  check("posix_spawnattr_setflags", setFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));

  /** Pointers to strings, with a null pointer behind them. The strings must live as long as the list. */
  const listOf = (strings: readonly Buffer[]): Buffer => {
    const list = Buffer.alloc(8 * (strings.length + 1));
    strings.forEach((string, index) => list.writeBigUInt64LE(koffi.address(string), 8 * index));
    return list;
  };
  const nothing = listOf([]);

  /** Clear of the numbers that the child's descriptors get. */
  const clear = (descriptor: number, count: number, temporary: number[]): number => {
    if (descriptor >= count) return descriptor;
    const duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, "int", count);
    if (duplicate < 0) throw new SystemCallFailure("fcntl", errnoOfNumber(koffi.errno()));
    temporary.push(duplicate);
    return duplicate;
  };

  return {
    spawn(program, argv, descriptors) {
      const actions = Buffer.alloc(OPAQUE);
      const temporary: number[] = [];
      check("posix_spawn_file_actions_init", initActions(actions));
      try {
        descriptors.forEach((descriptor, number) => {
          if (descriptor === null) {
            check("posix_spawn_file_actions_addopen", addOpen(actions, number, "/dev/null", O_RDWR, 0));
          } else {
            const source = clear(descriptor, descriptors.length, temporary);
            check("posix_spawn_file_actions_adddup2", addDuplicate(actions, source, number));
          }
        });
        check("posix_spawn_file_actions_addchdir_np", addDirectory(actions, "/"));
        const words = [program, ...argv].map((word) => Buffer.from(`${word}\0`));
        const pid = Buffer.alloc(4);
        check("posix_spawn", posixSpawn(pid, program, actions, attributes, listOf(words), nothing));
        return pid.readInt32LE();
      } finally {
        destroyActions(actions);
        temporary.forEach((descriptor) => close(descriptor));
      }
    },
    reap(pid) {
      const status = Buffer.alloc(4);
      const result = waitpid(pid, status, WNOHANG);
      if (result === 0) return null;
      return result === pid ? endOf(status.readInt32LE()) : { exitCode: null, signal: null };
    },
    onChildEnd(look) {
      process.on("SIGCHLD", look);
    },
  };
}

function endOf(status: WaitStatus): HelperEnd {
  if (ifExited(status)) return { exitCode: exitStatus(status), signal: null };
  const number = termSignal(status);
  const [name = `signal ${number}`] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return { exitCode: null, signal: name };
}
