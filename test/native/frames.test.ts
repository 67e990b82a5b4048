import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FurnishOrder, LaunchOrder, MakeOrder } from "../../src/init/encode.js";
import { encodeClose, encodeFurnish, encodeHello, encodeLaunch, encodeMake, encodeSignal } from "../../src/init/encode.js";
import { BindFlag, Bound, Frame, MAGIC, Operation, Origin, Refusal, Section, SignalScope, VERSION } from "../../src/init/protocol.js";
import { describeFrames, hex } from "../init/reference-decoder.js";
import { allowAll, FixedRandom, frames, full, furnished, greeted, joined, mutated, rootDirectory, smallest } from "../init/samples.js";

const printFrames = fileURLToPath(new URL("../../build/sanitized/print-frames", import.meta.url));
const corpus = fileURLToPath(new URL("corpus", import.meta.url));

/** What the parser in C makes of each of these connections; it runs with sanitizers, and must survive. */
function parsed(streams: readonly Uint8Array[]): string[][] {
  const input = streams.flatMap((bytes) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return [size, bytes];
  });
  return run([], Buffer.concat(input));
}

function run(files: readonly string[], input: Uint8Array): string[][] {
  const { status, stdout, stderr } = spawnSync(printFrames, files, { input, encoding: "latin1", maxBuffer: 2 ** 28 });
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const cases: string[][] = [[]];
  for (const line of stdout.split("\n").slice(0, -1)) {
    if (line === ".") cases.push([]);
    else cases.at(-1)?.push(line);
  }
  assert.deepEqual(cases.pop(), [], "the last case has its end");
  return cases;
}

/** Both must make the same of it. */
function assertAgreement(streams: readonly Uint8Array[]): string[][] {
  const inC = parsed(streams);
  assert.equal(inC.length, streams.length);
  streams.forEach((bytes, index) => {
    assert.deepEqual(inC[index], describeFrames(bytes), `case ${index}: ${hex(bytes).slice(0, 2000)}`);
  });
  return inC;
}

/** Connections, each with the last line that it must give. All are read by one run of the program. */
class Readings {
  readonly #streams: Uint8Array[] = [];
  readonly #expected: (string | RegExp)[] = [];

  expect(stream: Uint8Array, lastLine: string | RegExp): void {
    this.#streams.push(stream);
    this.#expected.push(lastLine);
  }

  check(): void {
    assert.ok(this.#streams.length > 0);
    assertAgreement(this.#streams).forEach((lines, index) => {
      const line = lines.at(-1) ?? "";
      const expected = this.#expected[index] ?? "";
      const what = `case ${index}: ${hex(this.#streams[index] ?? new Uint8Array()).slice(0, 2000)}`;
      if (typeof expected === "string") assert.equal(line, expected, what);
      else assert.match(line, expected, what);
    });
  }
}

function frame(type: number, process: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  return joined(words(body.length, type, process), body);
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}

function section(tag: number, content: Uint8Array, padding = new Uint8Array((4 - (content.length % 4)) % 4)): Uint8Array {
  return joined(words(tag, content.length), content, padding);
}

/** A launch of one argument and these sections. */
function launch(...sections: readonly Uint8Array[]): Uint8Array {
  return greeted(frame(Frame.LAUNCH, 1, Buffer.concat([section(Section.ARGUMENT, Buffer.from("x\0")), ...sections])));
}

/** A sandbox of the least, and these sections. */
function make(...sections: readonly Uint8Array[]): Uint8Array {
  const least = [section(Section.NAMESPACES, words(0)), section(Section.USER_MAP, nothing), section(Section.GROUP_MAP, nothing)];
  return greeted(frame(Frame.MAKE, 1, Buffer.concat([...least, ...sections])));
}

/** An empty string. */
const nothing = Uint8Array.of(0);

const refused = (reason: Refusal): string => `refused ${reason}`;
const everything = greeted(...frames.filter(([name]) => !name.startsWith("hello")).map(([, bytes]) => bytes));

describe("the frame parser of gio-sandbox-init", () => {
  it("reads what the encoder writes, every frame and every section", () => {
    const lines = assertAgreement([everything, encodeHello(1)])[0] ?? [];
    assert.equal(lines.length, frames.length - 3);
    assert.ok(lines.every((line) => /^(hello|launch|make|furnish|signal|close)\b/.test(line)));
  });

  it("reads what the encoder writes of random orders", () => {
    const random = new FixedRandom(1);
    const streams = Array.from({ length: 300 }, () =>
      greeted(
        encodeLaunch(randomOrder(random)),
        encodeMake(randomMake(random)),
        encodeFurnish(randomRoot(random)),
        encodeSignal(random.below(2 ** 32), random.below(2 ** 32), random.pick(Object.values(SignalScope))),
        encodeClose(),
      ),
    );
    for (const lines of assertAgreement(streams)) assert.equal(lines.length, 6);
  });

  it("reads as much as there may be of everything, and refuses one more", () => {
    const readings = new Readings();
    const many = <T>(length: number, item: T): T[] => Array.from({ length }, () => item);
    const bounds: readonly (readonly [string, number, Uint8Array])[] = [
      ["fd", Bound.MAX_DESCRIPTORS, section(Section.DESCRIPTOR, words(1, Origin.INHERITED, 1))],
      ["limit", Bound.MAX_LIMITS, section(Section.LIMIT, words(1, 0, 1, 0, 1, 0))],
      ["filter", Bound.MAX_FILTERS, section(Section.FILTER, allowAll)],
      ["id", Bound.MAX_IDENTITIES, section(Section.IDENTITY, joined(words(1, 0, 1, 0), Buffer.from("/\0")))],
      ["env", Bound.MAX_STRINGS - 1, section(Section.VARIABLE, Buffer.from("\0"))],
      ["argv", Bound.MAX_STRINGS, section(Section.ARGUMENT, Buffer.from("\0"))],
    ];
    for (const [name, most, item] of bounds) {
      const count = name === "argv" ? most - 1 : most;
      readings.expect(launch(Buffer.concat(many(count, item))), new RegExp(` ${name}=${most}:`));
      readings.expect(launch(Buffer.concat(many(count + 1, item))), refused(Refusal.TOO_MANY));
    }
    for (const [name, most, item] of [
      ["private", Bound.MAX_TMPFS, section(Section.PRIVATE, Buffer.from("\0\0"))],
      ["carried", Bound.MAX_CARRIED, section(Section.CARRIED, Buffer.from("\0"))],
      ["cover", Bound.MAX_COVERS, section(Section.COVER, Buffer.from("\0"))],
      ["filter", Bound.MAX_FILTERS, section(Section.FILTER, allowAll)],
    ] as const) {
      readings.expect(make(Buffer.concat(many(most, item))), new RegExp(` ${name}=${most}:`));
      readings.expect(make(Buffer.concat(many(most + 1, item))), refused(Refusal.TOO_MANY));
    }
    readings.expect(launch(section(Section.FILTER, new Uint8Array(8 * Bound.MAX_FILTER_LENGTH))), / filter=1:/);
    readings.expect(launch(section(Section.FILTER, new Uint8Array(8 * Bound.MAX_FILTER_LENGTH + 8))), refused(Refusal.TOO_MANY));
    readings.check();
  });

  it("reads the longest body there may be, and refuses a longer one before it comes", () => {
    const readings = new Readings();
    const longest = Buffer.alloc(Bound.MAX_BODY - 12 - 8, "a");
    longest[longest.length - 1] = 0;
    readings.expect(launch(section(Section.VARIABLE, longest)), / env=1:/);
    readings.expect(greeted(words(Bound.MAX_BODY + 1, Frame.LAUNCH, 1)), refused(Refusal.TOO_LONG));
    readings.expect(greeted(words(2 ** 32 - 1, Frame.LAUNCH, 1)), refused(Refusal.TOO_LONG));
    readings.check();
  });
});

describe("the frame parser of gio-sandbox-init refuses", () => {
  it("everything before HELLO, and a second HELLO", () => {
    const readings = new Readings();
    for (const [name, bytes] of frames) {
      if (name.startsWith("hello")) readings.expect(joined(bytes, bytes), refused(Refusal.MALFORMED));
      else readings.expect(bytes, refused(Refusal.NOT_HELLO));
    }
    for (const type of [0, 5, Frame.READY, 2 ** 32 - 1]) readings.expect(frame(type, 0), refused(Refusal.NOT_HELLO));
    readings.check();
  });

  it("another magic, another version, and says which even if the frame of that version is longer", () => {
    const readings = new Readings();
    const hello = (...values: readonly number[]): Uint8Array => frame(Frame.HELLO, 0, words(...values));
    for (let bit = 0; bit < 32; bit++) {
      readings.expect(hello((MAGIC ^ (1 << bit)) >>> 0, VERSION, 0), refused(Refusal.BAD_MAGIC));
      readings.expect(hello(MAGIC, (VERSION ^ (1 << bit)) >>> 0, 0), refused(Refusal.BAD_VERSION));
      if (bit > 3) readings.expect(hello(MAGIC, VERSION, (1 << bit) >>> 0), refused(Refusal.MALFORMED));
    }
    for (const flags of [5, 6, 7, 10, 11, 12, 13, 14, 15]) readings.expect(hello(MAGIC, VERSION, flags), refused(Refusal.MALFORMED));
    readings.expect(hello(MAGIC, VERSION + 1, 0, 0, 0), refused(Refusal.BAD_VERSION));
    readings.expect(hello(MAGIC, VERSION + 1), refused(Refusal.BAD_VERSION));
    readings.expect(hello(MAGIC, VERSION), refused(Refusal.MALFORMED));
    readings.expect(hello(MAGIC, VERSION, 0, 0), refused(Refusal.MALFORMED));
    readings.expect(hello(MAGIC), refused(Refusal.MALFORMED));
    readings.expect(frame(Frame.HELLO, 1, words(MAGIC, VERSION, 0)), refused(Refusal.MALFORMED));
    readings.expect(words(65, Frame.HELLO, 0), refused(Refusal.MALFORMED));
    readings.check();
  });

  it("unknown frames, and those that only init sends", () => {
    const readings = new Readings();
    const known = new Set<number>([Frame.HELLO, Frame.LAUNCH, Frame.SIGNAL, Frame.CLOSE, Frame.MAKE, Frame.FURNISH]);
    for (const type of [...Array.from({ length: 256 }, (_, index) => index), 2 ** 31, 2 ** 32 - 1]) {
      if (!known.has(type)) readings.expect(greeted(frame(type, 1)), refused(Refusal.UNKNOWN_FRAME));
    }
    readings.check();
  });

  it("unknown sections", () => {
    const readings = new Readings();
    const known = new Set<number>(Object.values(Section));
    for (const tag of [...Array.from({ length: 32 }, (_, index) => index), 2 ** 31, 2 ** 32 - 1]) {
      if (!known.has(tag)) readings.expect(launch(section(tag, words(0))), refused(Refusal.UNKNOWN_SECTION));
    }
    readings.check();
  });

  it("a launch of process 0, of nothing, and without an argument", () => {
    const readings = new Readings();
    readings.expect(greeted(frame(Frame.LAUNCH, 0, section(Section.ARGUMENT, Buffer.from("x\0")))), refused(Refusal.PROCESS_NUMBER));
    readings.expect(greeted(frame(Frame.LAUNCH, 1)), refused(Refusal.MALFORMED));
    readings.expect(greeted(frame(Frame.LAUNCH, 1, section(Section.VARIABLE, Buffer.from("x\0")))), refused(Refusal.MALFORMED));
    readings.check();
  });

  it("a sandbox of process 0, of nothing, without one of what each has, with one twice, and sections of a launch", () => {
    const readings = new Readings();
    const needed = [
      section(Section.NAMESPACES, words(3)),
      section(Section.USER_MAP, nothing),
      section(Section.GROUP_MAP, nothing),
    ];
    readings.expect(greeted(frame(Frame.MAKE, 1, Buffer.concat(needed))), /^make 1 ns=1:3 /);
    readings.expect(greeted(frame(Frame.MAKE, 0, Buffer.concat(needed))), refused(Refusal.PROCESS_NUMBER));
    readings.expect(greeted(frame(Frame.MAKE, 1)), refused(Refusal.MALFORMED));
    for (const one of needed) {
      const others = needed.filter((other) => other !== one);
      readings.expect(greeted(frame(Frame.MAKE, 1, Buffer.concat(others))), refused(Refusal.MALFORMED));
      readings.expect(make(one), refused(Refusal.MALFORMED));
    }
    for (const tag of Object.values(Section)) {
      if (tag < Section.NAMESPACES && tag !== Section.FILTER) {
        readings.expect(make(section(tag, nothing)), refused(Refusal.UNKNOWN_SECTION));
      } else if (tag !== Section.FILTER) {
        readings.expect(launch(section(tag, nothing)), refused(Refusal.UNKNOWN_SECTION));
      }
    }
    readings.check();
  });

  it("sandboxes with namespaces that there are not, and private directories that are not two strings", () => {
    const readings = new Readings();
    const maps = [section(Section.USER_MAP, nothing), section(Section.GROUP_MAP, nothing)];
    const ofNamespaces = (content: Uint8Array): Uint8Array =>
      greeted(frame(Frame.MAKE, 1, Buffer.concat([...maps, section(Section.NAMESPACES, content)])));
    for (let bit = 2; bit < 32; bit++) readings.expect(ofNamespaces(words((1 << bit) >>> 0)), refused(Refusal.MALFORMED));
    for (const length of [0, 1, 3, 5, 8]) readings.expect(ofNamespaces(new Uint8Array(length)), refused(Refusal.MALFORMED));
    for (const text of ["", "\0", "a", "a\0", "a\0b", "a\0b\0c\0", "\0\0\0"]) {
      readings.expect(make(section(Section.PRIVATE, Buffer.from(text))), refused(Refusal.MALFORMED));
    }
    for (const text of ["\0\0", "a\0\0", "\0b\0", "abc\0de\0"]) {
      readings.expect(make(section(Section.PRIVATE, Buffer.from(text))), / private=1:/);
    }
    readings.check();
  });

  it("a root directory of a process, of nothing, without a map, and operations with what they do not have", () => {
    const readings = new Readings();
    const maps = [section(Section.USER_MAP, nothing), section(Section.GROUP_MAP, nothing)];
    const root = (...sections: readonly Uint8Array[]): Uint8Array => greeted(frame(Frame.FURNISH, 0, Buffer.concat([...maps, ...sections])));
    const operation = (kind: number, mode: number, text: string): Uint8Array =>
      section(Section.OPERATION, joined(words(kind, mode), Buffer.from(text)));
    readings.expect(root(), /^furnish /);
    readings.expect(greeted(frame(Frame.FURNISH, 1, Buffer.concat(maps))), refused(Refusal.MALFORMED));
    readings.expect(greeted(frame(Frame.FURNISH, 0)), refused(Refusal.MALFORMED));
    for (const one of maps) {
      readings.expect(greeted(frame(Frame.FURNISH, 0, one)), refused(Refusal.MALFORMED));
      readings.expect(root(one), refused(Refusal.MALFORMED));
    }
    readings.expect(root(section(Section.CARRIED, nothing)), refused(Refusal.UNKNOWN_SECTION));
    const strings = ["/\0", "/\0\0", "/a\0b\0", "/a\0b", "/a", "a\0", "\0", "", "/\0b\0c\0"];
    for (const kind of [...Object.values(Operation), 0, Object.values(Operation).length + 1, 2 ** 32 - 1]) {
      for (const mode of [0, 7, 8, 0o7777, 0o10000, 2 ** 32 - 1]) {
        for (const text of strings) {
          const takesString = [Operation.SYMLINK, Operation.BIND, Operation.TMPFS].some((known) => known === kind);
          const takesMode = kind === Operation.DIRECTORY || kind === Operation.FILE ? 0o7777 : kind === Operation.BIND ? 7 : 0;
          const isKnown = kind > 0 && kind <= Object.values(Operation).length;
          const [path, ...rest] = text.split("\0");
          const isPath = path?.startsWith("/") === true && rest.length > 0;
          const isContent = kind === Operation.FILE || (takesString ? rest.length === 2 && rest[1] === "" : rest.length === 1 && rest[0] === "");
          const isRight = isKnown && isPath && isContent && mode <= takesMode;
          readings.expect(root(operation(kind, mode, text)), isRight ? /^furnish .* op=1:/ : refused(Refusal.MALFORMED));
        }
      }
    }
    const many = Array.from({ length: Bound.MAX_OPERATIONS }, () => operation(Operation.PROC, 0, "/\0"));
    readings.expect(root(...many), new RegExp(` op=${Bound.MAX_OPERATIONS}:`));
    readings.expect(root(...many, operation(Operation.PROC, 0, "/\0")), refused(Refusal.TOO_MANY));
    readings.check();
  });

  it("signals of another length or scope, and a CLOSE with something in it", () => {
    const readings = new Readings();
    for (const length of [0, 1, 2, 3]) {
      if (length !== 2) readings.expect(greeted(frame(Frame.SIGNAL, 1, words(...new Array<number>(length).fill(0)))), refused(Refusal.MALFORMED));
    }
    for (const scope of [4, 5, 2 ** 31, 2 ** 32 - 1]) readings.expect(greeted(frame(Frame.SIGNAL, 1, words(9, scope))), refused(Refusal.MALFORMED));
    readings.expect(greeted(frame(Frame.CLOSE, 1)), refused(Refusal.MALFORMED));
    readings.expect(greeted(frame(Frame.CLOSE, 0, words(0))), refused(Refusal.MALFORMED));
    readings.check();
  });

  it("strings without a NUL at the end, or with one before it", () => {
    const readings = new Readings();
    for (const tag of [Section.ARGUMENT, Section.VARIABLE, Section.DIRECTORY, Section.SEARCH_PATH]) {
      for (const text of ["", "a", "abc", "abcd", "\0\0", "a\0b\0", "\0a"]) {
        readings.expect(launch(section(tag, Buffer.from(text))), refused(Refusal.MALFORMED));
      }
      readings.expect(launch(section(tag, Buffer.from("\0"))), /^launch 1 /);
    }
    for (const text of ["", "a", "\0\0"]) {
      readings.expect(launch(section(Section.IDENTITY, joined(words(1, 0, 1, 0), Buffer.from(text)))), refused(Refusal.MALFORMED));
    }
    readings.check();
  });

  it("padding that is not zero, or is missing", () => {
    const readings = new Readings();
    for (let length = 1; length < 9; length++) {
      const text = Buffer.alloc(length, "a");
      text[length - 1] = 0;
      const padding = (4 - (length % 4)) % 4;
      readings.expect(launch(section(Section.VARIABLE, text)), / env=1:/);
      for (let place = 0; place < padding; place++) {
        const bad = new Uint8Array(padding);
        bad[place] = 1;
        readings.expect(launch(section(Section.VARIABLE, text, bad)), refused(Refusal.MALFORMED));
        readings.expect(launch(section(Section.VARIABLE, text, new Uint8Array(place))), refused(Refusal.MALFORMED));
      }
    }
    readings.check();
  });

  it("sections of another length than theirs, up to the largest number", () => {
    const readings = new Readings();
    const right: readonly (readonly [number, (length: number) => boolean])[] = [
      [Section.DESCRIPTOR, (length) => length === 12],
      [Section.LIMIT, (length) => length === 24],
      [Section.FILTER, (length) => length > 0 && length % 8 === 0],
      [Section.TIMEOUT, (length) => length === 8],
      [Section.WATCH, (length) => length === 24],
      [Section.TMPFS, (length) => length === 1],
      // as these are all zeros, no string in them can be right but the empty one
      [Section.IDENTITY, (length) => length === 17],
    ];
    for (const [tag, isRight] of right) {
      for (let length = 0; length < 64; length++) {
        const expected = isRight(length) ? /^launch 1 / : refused(Refusal.MALFORMED);
        readings.expect(launch(section(tag, new Uint8Array(length))), expected);
      }
    }
    for (const tag of Object.values(Section)) {
      for (const length of [5, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 3, 2 ** 32 - 1]) {
        readings.expect(launch(words(tag, length, 0)), refused(Refusal.MALFORMED));
      }
    }
    readings.check();
  });

  it("what may be there once, twice", () => {
    const readings = new Readings();
    for (const [tag, content] of [
      [Section.DIRECTORY, Buffer.from("/\0")],
      [Section.SEARCH_PATH, Buffer.from("/\0")],
      [Section.TIMEOUT, words(1, 0)],
      [Section.WATCH, words(1, 0, 1, 0, 0, 0)],
    ] as const) {
      readings.expect(launch(section(tag, content)), /^launch 1 /);
      readings.expect(launch(section(tag, content), section(tag, content)), refused(Refusal.MALFORMED));
    }
    readings.check();
  });

  it("a descriptor of no origin, and a limit whose second word is not zero", () => {
    const readings = new Readings();
    for (const origin of [2, 2 ** 32 - 1]) {
      readings.expect(launch(section(Section.DESCRIPTOR, words(1, origin, 1))), refused(Refusal.MALFORMED));
    }
    readings.expect(launch(section(Section.LIMIT, words(1, 1, 0, 0, 0, 0))), refused(Refusal.MALFORMED));
    readings.check();
  });

  it("a watch with a flag that there is not, or whose last word is not zero", () => {
    const readings = new Readings();
    for (const flags of [2, 3, 2 ** 31]) {
      readings.expect(launch(section(Section.WATCH, words(1, 0, 1, 0, flags, 0))), refused(Refusal.MALFORMED));
    }
    readings.expect(launch(section(Section.WATCH, words(1, 0, 1, 0, 0, 1))), refused(Refusal.MALFORMED));
    readings.check();
  });
});

describe("the frame parser of gio-sandbox-init and its description", () => {
  it("agree on every frame cut off at every byte", () => {
    const streams = Array.from({ length: everything.length + 1 }, (_, length) => everything.subarray(0, length));
    for (const lines of assertAgreement(streams)) assert.ok(!lines.some((line) => line.startsWith("refused")));
  });

  it("agree on a launch whose body ends at every byte", () => {
    const body = encodeLaunch(full).subarray(12);
    const streams = Array.from({ length: body.length + 1 }, (_, length) =>
      greeted(frame(Frame.LAUNCH, 1, body.subarray(0, length))),
    );
    assertAgreement(streams);
  });

  it("agree on a sandbox whose body ends at every byte", () => {
    for (const [type, process, bytes] of [
      [Frame.MAKE, 1, encodeMake(furnished)],
      [Frame.FURNISH, 0, encodeFurnish(rootDirectory)],
    ] as const) {
      const body = bytes.subarray(12);
      const streams = Array.from({ length: body.length + 1 }, (_, length) => greeted(frame(type, process, body.subarray(0, length))));
      assertAgreement(streams);
    }
  });

  it("agree on every frame with every byte replaced by 0, 1, 255 and its complement", () => {
    const streams = Array.from(everything, (byte, place) => [0, 1, 255, byte ^ 255].map((value) => {
      const changed = Uint8Array.from(everything);
      changed[place] = value;
      return changed;
    })).flat();
    const outcomes = assertAgreement(streams).map((lines) => lines.at(-1)?.split(" ")[0]);
    for (const outcome of ["refused", "incomplete", "close"]) assert.ok(outcomes.includes(outcome), outcome);
  });

  it("agree on 20 000 random mutations", () => {
    const random = new FixedRandom(20261125);
    const seeds = [everything, greeted(encodeLaunch(full)), greeted(encodeMake(furnished)), greeted(encodeFurnish(rootDirectory)), greeted(encodeLaunch(smallest), encodeClose())];
    const streams = Array.from({ length: 20000 }, () => mutated(random.pick(seeds), random));
    const reasons = new Set(assertAgreement(streams).map((lines) => lines.at(-1)));
    for (const reason of Object.values(Refusal)) {
      // the last two are not the parser's
      if (reason < Refusal.SINGLE_USE) {
        if (reason !== Refusal.TOO_MANY) assert.ok(reasons.has(refused(reason)), `reason ${reason} came`);
      }
    }
  });
});

describe("the corpus of the fuzzer", () => {
  const files = readdirSync(corpus).map((name) => `${corpus}/${name}`);

  it("is read without an error of the sanitizers, and as described", () => {
    assert.ok(files.length > 20);
    const lines = run(files, new Uint8Array());
    files.forEach((file, index) => assert.deepEqual(lines[index], describeFrames(readFileSync(file)), file));
  });

  it("has every frame that the encoder writes", () => {
    const lines = new Set(run(files, new Uint8Array()).flat());
    for (const line of describeFrames(everything)) assert.ok(lines.has(line), line);
  });

  it("stays small", () => {
    const size = files.reduce((sum, file) => sum + readFileSync(file).length, 0);
    assert.ok(size < 256 * 1024 && files.length < 400, `${size} bytes in ${files.length} files`);
  });
});

function randomOrder(random: FixedRandom): LaunchOrder {
  const list = <T>(most: number, item: () => T): T[] => Array.from({ length: random.below(most + 1) }, item);
  const string = (): Uint8Array => Uint8Array.from({ length: random.below(40) }, () => 1 + random.below(255));
  const long = (): bigint => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  const limit = (): number | null => (random.below(3) === 0 ? null : random.below(2 ** 32));
  return {
    process: 1 + random.below(2 ** 32 - 1),
    argv: ["x", ...list(20, string)],
    environment: list(20, string),
    directory: string(),
    searchPath: random.below(2) === 0 ? null : string(),
    descriptors: list(10, () => ({
      target: random.below(2 ** 32),
      origin: random.pick(Object.values(Origin)),
      source: random.below(2 ** 32),
    })),
    limits: list(5, () => ({ resource: random.below(2 ** 32), soft: limit(), hard: limit() })),
    filters: list(4, () => new Uint8Array(8 * (1 + random.below(30))).fill(random.below(256))),
    identities: list(10, () => ({ path: string(), device: long(), inode: long() })),
    timeoutMilliseconds: random.below(2) === 0 ? null : random.below(2 ** 32),
    ...(random.below(2) === 0
      ? {}
      : { watch: { memoryBytes: limit(), processes: limit(), hasOwnIpc: random.below(2) === 0 } }),
    tmpfs: list(4, string),
  };
}

function randomMake(random: FixedRandom): MakeOrder {
  const list = <T>(most: number, item: () => T): T[] => Array.from({ length: random.below(most + 1) }, item);
  const string = (): string => String.fromCharCode(...Array.from({ length: random.below(40) }, () => 1 + random.below(0xd7ff)));
  return {
    process: 1 + random.below(2 ** 32 - 1),
    hasOwnNetwork: random.below(2) === 0,
    hasOwnIpc: random.below(2) === 0,
    userMap: string(),
    groupMap: string(),
    privateDirectories: list(6, () => ({ path: string(), options: string() })),
    carried: list(5, string),
    covers: list(10, string),
    filters: list(4, () => new Uint8Array(8 * (1 + random.below(30))).fill(random.below(256))),
  };
}

function randomRoot(random: FixedRandom): FurnishOrder {
  const string = (): string => String.fromCharCode(...Array.from({ length: random.below(40) }, () => 1 + random.below(0xd7ff)));
  const operations = [
    { operation: Operation.FILE, mode: random.below(0o10000), content: Uint8Array.from({ length: random.below(40) }, () => random.below(256)) },
    { operation: Operation.BIND, mode: random.below(1 + Object.values(BindFlag).reduce((all, flag) => all | flag, 0)), content: string() },
    { operation: Operation.SYMLINK, content: string() },
    { operation: Operation.PROC },
  ];
  return {
    userMap: string(),
    groupMap: string(),
    filters: [],
    operations: operations.slice(random.below(4)).map((operation) => ({ ...operation, path: `/${string()}` })),
  };
}
