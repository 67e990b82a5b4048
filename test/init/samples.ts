import type { FurnishOrder, LaunchOrder, MakeOrder } from "../../src/init/encode.js";
import { encodeClose, encodeFurnish, encodeHello, encodeLaunch, encodeMake, encodeSignal } from "../../src/init/encode.js";
import { BindFlag, HelloFlag, Operation, Origin, SignalScope } from "../../src/init/protocol.js";

/** The least that a launch can be. */
export const smallest: LaunchOrder = {
  process: 1,
  argv: ["x"],
  environment: [],
  directory: "/",
  searchPath: null,
  descriptors: [],
  limits: [],
  filters: [],
  identities: [],
  timeoutMilliseconds: null,
};

/** Allows every system call: BPF_RET | BPF_K, SECCOMP_RET_ALLOW. */
export const allowAll = Uint8Array.of(6, 0, 0, 0, 0, 0, 0xff, 0x7f);

/** A launch with some of everything. */
export const full: LaunchOrder = {
  process: 7,
  argv: ["program", "", "ä€𝄞", Uint8Array.of(0xff, 0xfe)],
  environment: ["A=B", "EMPTY=", Uint8Array.of(0x4e, 0x3d, 0x80)],
  directory: "/some/where",
  searchPath: "/usr/bin:/bin",
  descriptors: [
    { target: 0, origin: Origin.INHERITED, source: 5 },
    { target: 1023, origin: Origin.RECEIVED, source: 0 },
  ],
  limits: [
    { resource: 7, soft: 64, hard: 1024 },
    { resource: 0, soft: null, hard: null },
    { resource: 1, soft: 0, hard: Number.MAX_SAFE_INTEGER },
  ],
  filters: [allowAll, Uint8Array.of(...allowAll, ...allowAll)],
  identities: [
    { path: "/granted", device: 0xfd00n, inode: 2n },
    { path: Uint8Array.of(0x2f, 0xff), device: 2n ** 64n - 1n, inode: 2n ** 63n },
  ],
  timeoutMilliseconds: 1500,
  watch: { memoryBytes: 2 ** 40, processes: null, hasOwnIpc: true },
  tmpfs: ["/tmp", Uint8Array.of(0x2f, 0xff)],
};

/** The least that a sandbox can be. */
export const barest: MakeOrder = {
  process: 1,
  hasOwnNetwork: false,
  hasOwnIpc: false,
  userMap: "0 0 1",
  groupMap: "0 0 1",
  privateDirectories: [],
  carried: [],
  covers: [],
  filters: [],
};

/** A sandbox with some of everything. */
export const furnished: MakeOrder = {
  process: 9,
  hasOwnNetwork: true,
  hasOwnIpc: true,
  userMap: "1000 0 1",
  groupMap: "100 0 1",
  privateDirectories: [
    { path: "/tmp", options: "mode=1777,size=4096" },
    { path: "/home/user", options: "" },
  ],
  carried: ["/tmp/a", "/home/user/b/c"],
  covers: ["/proc/sys", "/proc/irq"],
  filters: [allowAll, Uint8Array.of(...allowAll, ...allowAll)],
};

/** A root directory with one of each operation. */
export const rootDirectory: FurnishOrder = {
  userMap: "1000 0 1",
  groupMap: "100 0 1",
  filters: [allowAll],
  operations: [
    { operation: Operation.DIRECTORY, mode: 0o1777, path: "/some/where" },
    { operation: Operation.SYMLINK, path: "/bin", content: "usr/bin" },
    { operation: Operation.FILE, mode: 0o444, path: "/etc/passwd", content: Uint8Array.of(0, 1, 0xff) },
    { operation: Operation.BIND, mode: BindFlag.READ_ONLY | BindFlag.OPTIONAL, path: "/usr", content: "/.host/usr" },
    { operation: Operation.TMPFS, path: "/tmp", content: "mode=1777,size=4096" },
    { operation: Operation.PROC, path: "/proc" },
    { operation: Operation.COVER, path: "/proc/sys" },
    { operation: Operation.DEVPTS, path: "/dev/pts" },
    { operation: Operation.READ_ONLY, path: "/" },
  ],
};

/** Frames of every kind, as a launcher writes them, each with a name. */
export const frames: readonly (readonly [string, Uint8Array])[] = [
  ["hello", encodeHello(0)],
  ["hello-single-use", encodeHello(HelloFlag.SINGLE_USE)],
  ["hello-template", encodeHello(HelloFlag.TEMPLATE)],
  ["make-barest", encodeMake(barest)],
  ["make-furnished", encodeMake(furnished)],
  ["hello-furnish", encodeHello(HelloFlag.FURNISH)],
  ["furnish", encodeFurnish(rootDirectory)],
  ["launch-smallest", encodeLaunch(smallest)],
  ["launch-full", encodeLaunch(full)],
  ["signal-process", encodeSignal(7, 15, SignalScope.PROCESS)],
  ["signal-group", encodeSignal(7, 2, SignalScope.GROUP)],
  ["signal-all", encodeSignal(0, 9, SignalScope.ALL)],
  ["signal-tree", encodeSignal(2 ** 32 - 1, 64, SignalScope.TREE)],
  ["close", encodeClose()],
];

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A HELLO with these frames behind it. */
export function greeted(...parts: readonly Uint8Array[]): Uint8Array {
  return joined(encodeHello(0), ...parts);
}

/** Numbers that are the same in every run: mulberry32. */
export class FixedRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }
}

/** A copy with one to four changes: a byte, a 32-bit word of an interesting value, a piece cut out or doubled. */
export function mutated(bytes: Uint8Array, random: FixedRandom): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (let changes = 1 + random.below(4); changes > 0; changes--) result = changed(result, random);
  return result;
}

const interesting = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 64, 127, 128, 255, 4096, 131072, 2 ** 22, 2 ** 22 + 1]
  .flatMap((value) => [value, -value]);

function changed(bytes: Uint8Array, random: FixedRandom): Uint8Array<ArrayBuffer> {
  const result = Uint8Array.from(bytes);
  if (bytes.length < 4) return Uint8Array.of(...bytes, random.below(256));
  const place = random.below(bytes.length);
  const word = random.below(bytes.length >> 2) * 4;
  switch (random.below(5)) {
    case 0:
      result[place] = random.below(256);
      return result;
    case 1:
      result[place] = (result[place] ?? 0) ^ (1 << random.below(8));
      return result;
    case 2:
      new DataView(result.buffer).setInt32(word, random.pick(interesting), true);
      return result;
    case 3:
      return Uint8Array.of(...bytes.subarray(0, word), ...bytes.subarray(word + 4 * random.below(4)));
    default:
      return Uint8Array.of(...bytes.subarray(0, word), ...bytes.subarray(word > 16 ? word - 16 : 0));
  }
}
