import assert from "node:assert/strict";
import type { LaunchOrder, MakeOrder } from "../../src/init/encode.js";
import { encodeClose, encodeHello, encodeLaunch, encodeMake, encodeSignal } from "../../src/init/encode.js";
import { Bound, Frame, HEADER_SIZE, HelloFlag, MAGIC, Origin, Section, SignalScope } from "../../src/init/protocol.js";
import { ErrorDomain, GLibError, SandboxError, SpawnError } from "../../src/subprocess/glib-error.js";
import { describeFrames, hex } from "./reference-decoder.js";
import { allowAll, barest, full, furnished, greeted, smallest } from "./samples.js";

function order(parts: Partial<LaunchOrder>): LaunchOrder {
  return { ...smallest, ...parts };
}

/** The line of the reference decoder for one frame behind HELLO. */
function read(frame: Uint8Array): string {
  const lines = describeFrames(greeted(frame));
  assert.equal(lines.length, 2);
  return lines[1] ?? "";
}

/** One list of a launch as the reference decoder read it, `name=count:items`. */
function list(name: string, parts: Partial<LaunchOrder>): string[] {
  const word = read(encodeLaunch(order(parts))).split(" ").find((part) => part.startsWith(`${name}=`)) ?? "";
  const [count, items] = word.slice(name.length + 1).split(":");
  const result = Number(count) === 0 ? [] : (items ?? "").split(",");
  assert.equal(result.length, Number(count));
  return result;
}

function isError(domain: string, code: number): (error: unknown) => boolean {
  return (error) => error instanceof GLibError && error.matches(domain, code);
}

const utf8 = (text: string): string => Buffer.from(text).toString("hex");

describe("the HELLO frame", () => {
  it("is a header of length, type and no process, then magic, version and flags", () => {
    assert.equal(hex(encodeHello(HelloFlag.SINGLE_USE)), "0c0000000100000000000000474953420100000001000000");
    assert.equal(Buffer.from(Uint32Array.of(MAGIC).buffer).toString(), "GISB");
    assert.deepEqual(describeFrames(encodeHello(0)), ["hello 0"]);
    assert.deepEqual(describeFrames(encodeHello(HelloFlag.SINGLE_USE)), ["hello 1"]);
  });
});

describe("the SIGNAL frame", () => {
  it("has the process, the number and the scope", () => {
    for (const scope of Object.values(SignalScope)) {
      for (const process of [0, 1, 2 ** 32 - 1]) {
        for (const signal of [0, 1, 15, 64, 2 ** 32 - 1]) {
          assert.equal(read(encodeSignal(process, signal, scope)), `signal ${process} ${signal} ${scope}`);
        }
      }
    }
  });

  it("refuses numbers that no 32-bit word holds", () => {
    for (const number of [-1, 0.5, NaN, Infinity, 2 ** 32]) {
      assert.throws(() => encodeSignal(number, 15, SignalScope.PROCESS), TypeError);
      assert.throws(() => encodeSignal(1, number, SignalScope.PROCESS), TypeError);
    }
  });
});

describe("the CLOSE frame", () => {
  it("is a header alone", () => {
    assert.equal(hex(encodeClose()), "000000000400000000000000");
    assert.equal(read(encodeClose()), "close");
  });
});

describe("the LAUNCH frame", () => {
  it("has everything that the order has, in order", () => {
    assert.equal(
      read(encodeLaunch(full)),
      [
        `launch 7 argv=4:${utf8("program")},,${utf8("ä€𝄞")},fffe`,
        `env=3:${utf8("A=B")},${utf8("EMPTY=")},4e3d80`,
        `dir=1:${utf8("/some/where")} path=1:${utf8("/usr/bin:/bin")}`,
        "fd=2:0/0/5,1023/1/0",
        `limit=3:7/64/1024,0/${2n ** 64n - 1n}/${2n ** 64n - 1n},1/0/${Number.MAX_SAFE_INTEGER}`,
        `filter=2:${hex(allowAll)},${hex(allowAll)}${hex(allowAll)}`,
        `id=2:64768/2/${utf8("/granted")},${2n ** 64n - 1n}/${2n ** 63n}/2fff`,
        "timeout=1:1500",
        `watch=1:${2 ** 40}/${2n ** 64n - 1n}/1 tmpfs=2:${utf8("/tmp")},2fff`,
      ].join(" "),
    );
  });

  it("of the least order has one argument and the directory", () => {
    const frame = encodeLaunch(smallest);
    assert.equal(frame.length, HEADER_SIZE + 2 * (8 + 4));
    assert.equal(read(frame), `launch 1 argv=1:${utf8("x")} env=0: dir=1:2f path=0: fd=0: limit=0: filter=0: id=0: timeout=0: watch=0: tmpfs=0:`);
  });

  it("pads strings of every length with zeros", () => {
    for (let length = 0; length < 64; length++) {
      const text = "z".repeat(length);
      const frame = encodeLaunch(order({ argv: [text], environment: [`${text}=`] }));
      assert.equal(frame.length % 4, 0);
      assert.equal(new DataView(frame.buffer).getUint32(0, true), frame.length - HEADER_SIZE);
      assert.deepEqual(list("argv", { argv: [text] }), [utf8(text)]);
      assert.deepEqual(list("env", { environment: [`${text}=`] }), [utf8(`${text}=`)]);
    }
  });

  it("takes every byte but NUL in every string", () => {
    const bytes = Uint8Array.from({ length: 255 }, (_, index) => index + 1);
    const expected = [hex(bytes)];
    assert.deepEqual(list("argv", { argv: [bytes] }), expected);
    assert.deepEqual(list("env", { environment: [bytes] }), expected);
    assert.deepEqual(list("dir", { directory: bytes }), expected);
    assert.deepEqual(list("path", { searchPath: bytes }), expected);
    assert.deepEqual(list("id", { identities: [{ path: bytes, device: 1n, inode: 2n }] }), [`1/2/${hex(bytes)}`]);
  });

  it("refuses NUL at every place of every string", () => {
    for (const text of ["\0", "\0b", "a\0b", "ab\0"]) {
      for (const string of [text, Buffer.from(text)]) {
        const orders: Partial<LaunchOrder>[] = [
          { argv: [string] },
          { argv: ["x", string] },
          { environment: [string] },
          { directory: string },
          { searchPath: string },
          { identities: [{ path: string, device: 1n, inode: 1n }] },
        ];
        for (const parts of orders) assert.throws(() => encodeLaunch(order(parts)), /^TypeError: NUL in /);
      }
    }
  });

  it("refuses an argv of nothing", () => {
    assert.throws(() => encodeLaunch(order({ argv: [] })), TypeError);
  });

  it("takes process numbers from 1 to 2³²−1", () => {
    for (const process of [1, 2, 2 ** 31, 2 ** 32 - 1]) {
      assert.match(read(encodeLaunch(order({ process }))), new RegExp(`^launch ${process} `));
    }
    for (const process of [0, -1, 1.5, NaN, 2 ** 32]) {
      assert.throws(() => encodeLaunch(order({ process })), TypeError);
    }
  });

  it("takes descriptors of every 32-bit number, and refuses all others", () => {
    for (const origin of Object.values(Origin)) {
      for (const number of [0, 1, 2, 2 ** 31, 2 ** 32 - 1]) {
        const descriptors = [{ target: number, origin, source: 2 ** 32 - 1 - number }];
        assert.deepEqual(list("fd", { descriptors }), [`${number}/${origin}/${2 ** 32 - 1 - number}`]);
      }
      for (const bad of [-1, -(2 ** 31)]) {
        const failed = isError(ErrorDomain.SPAWN, SpawnError.FAILED);
        assert.throws(() => encodeLaunch(order({ descriptors: [{ target: bad, origin, source: 0 }] })), failed);
        assert.throws(() => encodeLaunch(order({ descriptors: [{ target: 0, origin, source: bad }] })), failed);
      }
      for (const bad of [0.5, NaN, 2 ** 32]) {
        assert.throws(() => encodeLaunch(order({ descriptors: [{ target: bad, origin, source: 0 }] })), TypeError);
        assert.throws(() => encodeLaunch(order({ descriptors: [{ target: 0, origin, source: bad }] })), TypeError);
      }
    }
  });

  it("takes limits from 0 to 2⁵³−1 and infinity, and refuses all others", () => {
    for (const value of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(list("limit", { limits: [{ resource: 9, soft: value, hard: null }] }), [`9/${value}/${2n ** 64n - 1n}`]);
      assert.deepEqual(list("limit", { limits: [{ resource: 9, soft: 0, hard: value }] }), [`9/0/${value}`]);
    }
    for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assert.throws(() => encodeLaunch(order({ limits: [{ resource: 9, soft: value, hard: null }] })), TypeError);
      assert.throws(() => encodeLaunch(order({ limits: [{ resource: 9, soft: 0, hard: value }] })), TypeError);
      if (value !== 2 ** 53) {
        assert.throws(() => encodeLaunch(order({ limits: [{ resource: value, soft: 0, hard: 0 }] })), TypeError);
      }
    }
  });

  it("takes identities of every 64-bit number, and refuses all others", () => {
    for (const number of [0n, 1n, 2n ** 32n, 2n ** 64n - 1n]) {
      const identities = [{ path: "/", device: number, inode: 2n ** 64n - 1n - number }];
      assert.deepEqual(list("id", { identities }), [`${number}/${2n ** 64n - 1n - number}/2f`]);
    }
    for (const number of [-1n, 2n ** 64n]) {
      assert.throws(() => encodeLaunch(order({ identities: [{ path: "/", device: number, inode: 0n }] })), TypeError);
      assert.throws(() => encodeLaunch(order({ identities: [{ path: "/", device: 0n, inode: number }] })), TypeError);
    }
  });

  it("rounds a timeout up to milliseconds, and refuses what is no time", () => {
    for (const [time, expected] of [[0, 0], [0.1, 1], [1, 1], [1.5, 2], [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]] as const) {
      assert.deepEqual(list("timeout", { timeoutMilliseconds: time }), [String(expected)]);
    }
    for (const time of [-1, -0.5, NaN, Infinity, 2 ** 53]) {
      assert.throws(() => encodeLaunch(order({ timeoutMilliseconds: time })), TypeError);
    }
  });

  it("refuses filters that are not made of instructions", () => {
    for (const length of [0, 1, 7, 9, 15]) {
      assert.throws(() => encodeLaunch(order({ filters: [new Uint8Array(length)] })), TypeError);
    }
  });
});

describe("the MAKE frame", () => {
  it("has everything that the order has, in order", () => {
    assert.equal(
      read(encodeMake(furnished)),
      `make 9 ns=1:3 uid=1:${utf8("1000 0 1")} gid=1:${utf8("100 0 1")} ` +
        `private=2:${utf8("/tmp")}/${utf8("mode=1777,size=4096")},${utf8("/home/user")}/ ` +
        `carried=2:${utf8("/tmp/a")},${utf8("/home/user/b/c")} ` +
        `cover=2:${utf8("/proc/sys")},${utf8("/proc/irq")} filter=2:${hex(allowAll)},${hex(allowAll)}${hex(allowAll)}`,
    );
    for (const [parts, flags] of [
      [{}, 0],
      [{ hasOwnNetwork: true }, 1],
      [{ hasOwnIpc: true }, 2],
    ] as const) {
      assert.match(read(encodeMake({ ...barest, ...parts })), new RegExp(` ns=1:${flags} `));
    }
  });

  it("refuses NUL in every string, and process 0", () => {
    const bad: readonly Partial<MakeOrder>[] = [
      ...[{ userMap: "\0" }, { groupMap: "a\0" }, { covers: ["/\0"] }, { carried: ["\0"] }, { process: 0 }],
      ...[{ privateDirectories: [{ path: "/\0", options: "" }] }, { privateDirectories: [{ path: "/", options: "\0" }] }],
    ];
    for (const parts of bad) assert.throws(() => encodeMake({ ...barest, ...parts }), TypeError);
  });

  it("has as much of everything as there may be, and no more", () => {
    const many = <T>(length: number, item: T): T[] => Array.from({ length }, () => item);
    const bounds: readonly (readonly [number, (count: number) => Partial<MakeOrder>])[] = [
      [Bound.MAX_TMPFS, (count) => ({ privateDirectories: many(count, { path: "/", options: "" }) })],
      [Bound.MAX_CARRIED, (count) => ({ carried: many(count, "/") })],
      [Bound.MAX_COVERS, (count) => ({ covers: many(count, "/") })],
      [Bound.MAX_FILTERS, (count) => ({ filters: many(count, allowAll) })],
    ];
    for (const [most, parts] of bounds) {
      assert.match(read(encodeMake({ ...barest, ...parts(most) })), /^make 1 /);
      assert.throws(
        () => encodeMake({ ...barest, ...parts(most + 1) }),
        isError(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED),
      );
    }
  });
});

describe("the bounds of a LAUNCH frame", () => {
  const limitExceeded = isError(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED);
  const tooBig = isError(ErrorDomain.SPAWN, SpawnError.TOO_BIG);
  const many = <T>(length: number, item: T): T[] => Array.from({ length }, () => item);

  it("are met exactly by as many of everything as there may be", () => {
    const bounds: readonly (readonly [string, number, (count: number) => Partial<LaunchOrder>])[] = [
      ["fd", Bound.MAX_DESCRIPTORS, (count) => ({ descriptors: many(count, { target: 1, origin: Origin.INHERITED, source: 1 }) })],
      ["limit", Bound.MAX_LIMITS, (count) => ({ limits: many(count, { resource: 1, soft: 1, hard: 1 }) })],
      ["filter", Bound.MAX_FILTERS, (count) => ({ filters: many(count, allowAll) })],
      ["id", Bound.MAX_IDENTITIES, (count) => ({ identities: many(count, { path: "/", device: 1n, inode: 1n }) })],
    ];
    for (const [name, most, parts] of bounds) {
      assert.equal(list(name, parts(most)).length, most);
      assert.throws(() => encodeLaunch(order(parts(most + 1))), limitExceeded);
    }
  });

  it("are met exactly by the longest filter", () => {
    const longest = new Uint8Array(8 * Bound.MAX_FILTER_LENGTH);
    assert.deepEqual(list("filter", { filters: [longest] }), [hex(longest)]);
    assert.throws(() => encodeLaunch(order({ filters: [new Uint8Array(longest.length + 8)] })), limitExceeded);
  });

  it("are met exactly by arguments and variables together", () => {
    const half = Bound.MAX_STRINGS / 2;
    assert.equal(list("env", { argv: many(half, ""), environment: many(half, "") }).length, half);
    assert.throws(() => encodeLaunch(order({ argv: many(half, ""), environment: many(half + 1, "") })), tooBig);
    assert.throws(() => encodeLaunch(order({ argv: many(half + 1, ""), environment: many(half, "") })), tooBig);
  });

  it("are met exactly by the longest body", () => {
    // what is there besides: the section of the directory, and the header of the argument's
    const longest = Bound.MAX_BODY - 12 - 8 - 1;
    const frame = encodeLaunch(order({ argv: ["a".repeat(longest)] }));
    assert.equal(frame.length, HEADER_SIZE + Bound.MAX_BODY);
    assert.equal(new DataView(frame.buffer).getUint32(4, true), Frame.LAUNCH);
    assert.match(read(frame), /^launch 1 argv=1:/);
    assert.throws(() => encodeLaunch(order({ argv: ["a".repeat(longest + 1)] })), tooBig);
    assert.throws(() => encodeLaunch(order({ environment: ["a".repeat(longest)] })), tooBig);
  });

  it("name the program if the arguments are too long, and the paths if those are", () => {
    const long = "a".repeat(Bound.MAX_BODY);
    assert.throws(() => encodeLaunch(order({ argv: ["the-program", long] })), /the-program/);
    assert.throws(() => encodeLaunch(order({ argv: [Buffer.from("the-program"), long] })), /the-program/);
    const identities = many(2, { path: "b".repeat(Bound.MAX_BODY / 2), device: 1n, inode: 1n });
    assert.throws(() => encodeLaunch(order({ identities })), limitExceeded);
  });

  it("are such that a tag is never out of its table", () => {
    assert.deepEqual(Object.values<number>(Section), Array.from(Object.values(Section), (_, index) => index + 1));
  });
});
