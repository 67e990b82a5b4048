import assert from "node:assert/strict";
import type { InitEvent, ProcessExit } from "../../src/init/decode.js";
import { FrameReader } from "../../src/init/decode.js";
import { Bound, ExitFlag, Frame, Refusal, Step, VERSION } from "../../src/init/protocol.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import { FixedRandom, joined, mutated } from "./samples.js";

/** A frame as init writes it, but with anything in it. */
function frame(type: number, process: number, ...words: readonly number[]): Uint8Array {
  return words32(4 * words.length, type, process, ...words);
}

function words32(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word, true));
  return bytes;
}

function exited(process: number, status: number, flags = 0, figures: readonly bigint[] = []): Uint8Array {
  const halves = Array.from({ length: 10 }, (_, index) => figures[index] ?? 0n).flatMap((figure) => [
    Number(figure & 0xffffffffn),
    Number(figure >> 32n),
  ]);
  return frame(Frame.EXITED, process, status, flags, ...halves);
}

const nothingUsed: ProcessExit["usage"] = {
  userMicroseconds: 0,
  systemMicroseconds: 0,
  maximumResidentKibibytes: 0,
  minorFaults: 0,
  majorFaults: 0,
  blocksIn: 0,
  blocksOut: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  wallMicroseconds: 0,
};

/** Everything that an init says in its life. */
const life: readonly (readonly [Uint8Array, InitEvent])[] = [
  [frame(Frame.READY, 0, VERSION, 3), { type: "ready", landlockVersion: 3 }],
  [frame(Frame.STARTED, 5, 2), { type: "started", process: 5, pid: 2 }],
  [frame(Frame.FAILED, 6, Step.EXEC, 2, 0), { type: "failed", process: 6, step: Step.EXEC, errno: 2, detail: 0 }],
  [
    exited(5, 137 << 8, ExitFlag.TIMED_OUT, [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 2n ** 40n]),
    {
      type: "exited",
      process: 5,
      status: 137 << 8,
      timedOut: true,
      exceeded: null,
      isTmpfsFull: false,
      usage: {
        userMicroseconds: 1,
        systemMicroseconds: 2,
        maximumResidentKibibytes: 3,
        minorFaults: 4,
        majorFaults: 5,
        blocksIn: 6,
        blocksOut: 7,
        voluntarySwitches: 8,
        involuntarySwitches: 9,
        wallMicroseconds: 2 ** 40,
      },
    },
  ],
  [frame(Frame.EMPTY, 0), { type: "empty" }],
  [frame(Frame.REFUSED, 0, Refusal.TOO_LONG), { type: "refused", reason: Refusal.TOO_LONG }],
];

describe("the exit flags", () => {
  const ends = (flags: number): unknown => {
    const [end] = eventsOf(exited(1, 9, flags));
    assert.ok(end?.type === "exited");
    return [end.timedOut, end.exceeded, end.isTmpfsFull];
  };

  it("say which limit ended a process, memory before processes", () => {
    assert.deepEqual(ends(0), [false, null, false]);
    assert.deepEqual(ends(ExitFlag.TIMED_OUT), [true, null, false]);
    assert.deepEqual(ends(ExitFlag.MEMORY), [false, "memory", false]);
    assert.deepEqual(ends(ExitFlag.PROCESSES), [false, "processes", false]);
    assert.deepEqual(ends(ExitFlag.TMPFS_FULL), [false, null, true]);
    assert.deepEqual(ends(15), [true, "memory", true]);
  });
});

const allFrames = joined(...life.map(([bytes]) => bytes));
const allEvents = life.map(([, event]) => event);
const ends = life.map((_, index) => life.slice(0, index + 1).reduce((size, [bytes]) => size + bytes.length, 0));

function taken(reader: FrameReader): InitEvent[] {
  const events: InitEvent[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) events.push(event);
  return events;
}

function eventsOf(...chunks: readonly Uint8Array[]): InitEvent[] {
  const reader = new FrameReader();
  const events = chunks.flatMap((chunk) => {
    reader.push(chunk);
    return taken(reader);
  });
  assert.equal(reader.isInsideFrame, false);
  return events;
}

function isProtocolError(error: unknown): boolean {
  return error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.SETUP_FAILED);
}

/** Whether the reader takes this for a frame; else it must say so, twice. */
function isTaken(bytes: Uint8Array): boolean {
  const reader = new FrameReader();
  reader.push(bytes);
  try {
    return reader.next() !== null;
  } catch (error) {
    assert.ok(isProtocolError(error));
    assert.throws(() => reader.next(), error as Error);
    return false;
  }
}

const isAboutProcess = new Set<number>([Frame.STARTED, Frame.FAILED, Frame.EXITED]);
const bodies = new Map(life.map(([bytes, { type }]) => [type, bytes.subarray(12)]));
const types = new Map(life.map(([bytes, { type }]) => [type, new DataView(bytes.buffer).getUint32(4, true)]));

describe("the reader of what init says", () => {
  it("gives every kind of event", () => {
    assert.deepEqual(eventsOf(allFrames), allEvents);
  });

  it("gives the same whatever two chunks the bytes come in", () => {
    for (let split = 0; split <= allFrames.length; split++) {
      assert.deepEqual(eventsOf(allFrames.subarray(0, split), allFrames.subarray(split)), allEvents);
    }
  });

  it("gives the same whatever three chunks the bytes come in", () => {
    for (let first = 0; first <= allFrames.length; first += 3) {
      for (let second = first; second <= allFrames.length; second++) {
        const chunks = [allFrames.subarray(0, first), allFrames.subarray(first, second), allFrames.subarray(second)];
        assert.deepEqual(eventsOf(...chunks), allEvents);
      }
    }
  });

  it("gives the same if the bytes come one by one", () => {
    assert.deepEqual(eventsOf(...Array.from(allFrames, (byte) => Uint8Array.of(byte))), allEvents);
  });

  it("gives nothing of a frame that is cut off, at every byte, and says that something is missing", () => {
    for (let length = 0; length <= allFrames.length; length++) {
      const reader = new FrameReader();
      reader.push(allFrames.subarray(0, length));
      assert.deepEqual(taken(reader), allEvents.slice(0, ends.filter((end) => end <= length).length));
      assert.equal(reader.isInsideFrame, length > 0 && !ends.includes(length));
    }
  });

  it("does not look at a chunk again", () => {
    const reader = new FrameReader();
    const chunk = Uint8Array.from(allFrames);
    reader.push(chunk);
    chunk.fill(0xff);
    assert.deepEqual(taken(reader), allEvents);
  });

  it("reads from a chunk that is a part of a larger buffer", () => {
    const buffer = joined(Uint8Array.of(1, 2, 3), allFrames, Uint8Array.of(4));
    assert.deepEqual(eventsOf(buffer.subarray(3, -1)), allEvents);
  });
});

describe("what init would never say", () => {
  it("is a frame of an unknown type, or of a launcher's", () => {
    const known = new Set(types.values());
    for (let type = 0; type < 1024; type++) {
      if (known.has(type)) continue;
      for (const process of [0, 1]) assert.equal(isTaken(frame(type, process)), false);
    }
    for (const type of [2 ** 31, 2 ** 32 - 1, 2 ** 16 + Frame.READY]) assert.equal(isTaken(frame(type, 0)), false);
  });

  it("is a frame of any other length, and its body is not waited for", () => {
    for (const [name, type] of types) {
      const right = bodies.get(name)?.length;
      const process = isAboutProcess.has(type) ? 1 : 0;
      for (const length of [...Array.from({ length: 200 }, (_, index) => index), Bound.MAX_BODY, 2 ** 31, 2 ** 32 - 1]) {
        if (length === right) continue;
        assert.equal(isTaken(words32(length, type, process)), false);
        const reader = new FrameReader();
        reader.push(words32(length, type, process));
        assert.throws(() => reader.next(), isProtocolError);
      }
    }
  });

  it("is a frame about a process that is about none, or the other way round", () => {
    for (const [name, type] of types) {
      const body = bodies.get(name) ?? new Uint8Array();
      for (const process of [0, 1, 7, 2 ** 32 - 1]) {
        const bytes = joined(words32(body.length, type, process), body);
        // a failure of no process is that of the sandbox
        const isRight = type === Frame.FAILED || (process !== 0) === isAboutProcess.has(type);
        assert.equal(isTaken(bytes), isRight);
      }
    }
  });

  it("is another version", () => {
    for (const version of [0, VERSION + 1, 2 ** 32 - 1]) assert.equal(isTaken(frame(Frame.READY, 0, version, 0)), false);
  });

  it("is a pid that no process can have, and init's own", () => {
    for (const pid of [2, 3, 32768, 2 ** 22]) assert.equal(isTaken(frame(Frame.STARTED, 1, pid)), true);
    for (const pid of [0, 1, 2 ** 22 + 1, 2 ** 31, 2 ** 32 - 1]) assert.equal(isTaken(frame(Frame.STARTED, 1, pid)), false);
  });

  it("is a failure in no step, or of no error", () => {
    const steps = new Set<number>(Object.values(Step));
    for (let step = 0; step < 300; step++) assert.equal(isTaken(frame(Frame.FAILED, 1, step, 1, 0)), steps.has(step));
    for (const errno of [0, 1, 133, 4095]) assert.equal(isTaken(frame(Frame.FAILED, 1, Step.EXEC, errno, 0)), true);
    for (const errno of [4096, 2 ** 31, 2 ** 32 - 1]) assert.equal(isTaken(frame(Frame.FAILED, 1, Step.EXEC, errno, 0)), false);
    for (const detail of [0, 4095, 2 ** 32 - 1]) assert.equal(isTaken(frame(Frame.FAILED, 1, Step.LIMIT, 1, detail)), true);
  });

  it("is a wait status of a process that has not ended: all numbers of 16 bits and each bit above", () => {
    const bytes = exited(1, 0);
    for (let status = 0; status < 2 ** 16; status++) {
      new DataView(bytes.buffer).setUint16(12, status, true);
      const signal = status & 0x7f;
      const isExit = signal === 0 && status <= 0xff00 && (status & 0x80) === 0;
      const isSignal = signal > 0 && signal < 0x7f && status <= 0xff;
      assert.equal(isTaken(bytes), isExit || isSignal, String(status));
    }
    for (let bit = 16; bit < 32; bit++) assert.equal(isTaken(exited(1, 2 ** bit)), false);
  });

  it("is an unknown exit flag", () => {
    for (const flag of Object.values(ExitFlag)) assert.equal(isTaken(exited(1, 0, flag)), true);
    for (let bit = 4; bit < 32; bit++) assert.equal(isTaken(exited(1, 0, 2 ** bit)), false);
  });

  it("is a refusal for no reason", () => {
    const reasons = new Set<number>(Object.values(Refusal));
    for (let reason = 0; reason < 300; reason++) assert.equal(isTaken(frame(Frame.REFUSED, 0, reason)), reasons.has(reason));
  });

  it("stays an error, whatever comes then, and what came before it is given first", () => {
    const reader = new FrameReader();
    reader.push(joined(allFrames, frame(1, 0)));
    for (const event of allEvents) assert.deepEqual(reader.next(), event);
    assert.throws(() => reader.next(), isProtocolError);
    reader.push(allFrames);
    assert.throws(() => reader.next(), isProtocolError);
  });

  it("gives a typed error or sound events, and nothing else, however it is broken", () => {
    const random = new FixedRandom(20261125);
    const outcomes = { refused: 0, taken: 0 };
    for (let round = 0; round < 20000; round++) {
      const reader = new FrameReader();
      reader.push(mutated(allFrames, random));
      try {
        for (const event of taken(reader)) assertSound(event);
        outcomes.taken++;
      } catch (error) {
        assert.ok(isProtocolError(error), String(error));
        outcomes.refused++;
      }
    }
    assert.ok(outcomes.refused > 2000 && outcomes.taken > 2000, JSON.stringify(outcomes));
  });
});

function assertSound(event: InitEvent): void {
  switch (event.type) {
    case "started":
      { assert.ok(event.pid >= 2 && event.pid <= 2 ** 22); return; }
    case "failed":
      { assert.ok(Object.values(Step).includes(event.step) && event.errno <= 4095); return; }
    case "exited":
      assert.deepEqual(Object.keys(event.usage), Object.keys(nothingUsed));
      { assert.ok(Object.values({ ...event.usage }).every((figure) => figure >= 0 && Number.isInteger(figure))); return; }
    case "refused":
      { assert.ok(Object.values(Refusal).includes(event.reason)); return; }
    case "ready":
    case "empty":
  }
}
