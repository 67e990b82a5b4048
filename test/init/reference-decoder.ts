import { BindFlag, Bound, Frame, HelloFlag, MAGIC, NamespaceFlag, Operation, Origin, Refusal, Section, SignalScope, VERSION, WatchFlag } from "../../src/init/protocol.js";

/**
 * What init is to make of the bytes of a launcher, by the letter of protocol.ts: one line a frame, in the format of
 * test/native/print-frames.c. Written for the tests, without a look at either implementation's structure, so that the
 * encoder and the parser in C can both be compared with it.
 */
export function describeFrames(stream: Uint8Array): string[] {
  const lines: string[] = [];
  try {
    readFrames(stream, lines);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    lines.push(`refused ${error.reason}`);
  }
  return lines;
}

class Refused extends Error {
  readonly reason: Refusal;

  constructor(reason: Refusal) {
    super(`refused ${reason}`);
    this.reason = reason;
  }
}

function demand(condition: boolean, reason: Refusal = Refusal.MALFORMED): void {
  if (!condition) throw new Refused(reason);
}

interface Bytes {
  readonly all: Uint8Array;
  readonly view: DataView;
}

function bytesOf(all: Uint8Array): Bytes {
  return { all, view: new DataView(all.buffer, all.byteOffset, all.byteLength) };
}

function readFrames(stream: Uint8Array, lines: string[]): void {
  let isGreeted = false;
  for (let rest = stream; rest.length > 0; ) {
    if (rest.length < 12) return void lines.push("incomplete");
    const { view } = bytesOf(rest);
    const length = view.getUint32(0, true);
    const type = view.getUint32(4, true);
    const process = view.getUint32(8, true);
    checkHeader(isGreeted, length, type, process);
    if (rest.length < 12 + length) return void lines.push("incomplete");
    lines.push(readBody(type, process, bytesOf(rest.subarray(12, 12 + length))));
    isGreeted = true;
    rest = rest.subarray(12 + length);
  }
}

function checkHeader(isGreeted: boolean, length: number, type: number, process: number): void {
  demand(isGreeted || type === Frame.HELLO, Refusal.NOT_HELLO);
  demand(length <= Bound.MAX_BODY, Refusal.TOO_LONG);
  switch (type) {
    case Frame.HELLO:
      { demand(!isGreeted && length <= 64); return; }
    case Frame.LAUNCH:
    case Frame.MAKE:
      demand(process !== 0, Refusal.PROCESS_NUMBER);
      { demand(length > 0); return; }
    case Frame.FURNISH:
      { demand(process === 0 && length > 0); return; }
    case Frame.SIGNAL:
      { demand(length === 8); return; }
    case Frame.CLOSE:
      { demand(length === 0 && process === 0); return; }
    default:
      throw new Refused(Refusal.UNKNOWN_FRAME);
  }
}

function readBody(type: number, process: number, body: Bytes): string {
  switch (type) {
    case Frame.HELLO:
      return readHello(process, body);
    case Frame.LAUNCH:
      return readLaunch(process, body);
    case Frame.MAKE:
      return readMake(process, body);
    case Frame.FURNISH:
      return readFurnish(body);
    case Frame.SIGNAL: {
      const scope = body.view.getUint32(4, true);
      demand(Object.values<number>(SignalScope).includes(scope));
      return `signal ${process} ${body.view.getUint32(0, true)} ${scope}`;
    }
    default:
      return "close";
  }
}

function readHello(process: number, { all, view }: Bytes): string {
  demand(all.length >= 8);
  demand(view.getUint32(0, true) === MAGIC, Refusal.BAD_MAGIC);
  demand(view.getUint32(4, true) === VERSION, Refusal.BAD_VERSION);
  demand(all.length === 12 && process === 0);
  const flags = view.getUint32(8, true);
  const others = flags & ~HelloFlag.SINGLE_USE;
  demand(flags === HelloFlag.TEMPLATE || [0, HelloFlag.NOT_PID_1, HelloFlag.FURNISH].includes(others));
  return `hello ${flags}`;
}

interface Lists {
  readonly argv: string[];
  readonly env: string[];
  readonly dir: string[];
  readonly path: string[];
  readonly fd: string[];
  readonly limit: string[];
  readonly filter: string[];
  readonly id: string[];
  readonly timeout: string[];
  readonly watch: string[];
  readonly tmpfs: string[];
}

function readLaunch(process: number, body: Bytes): string {
  const lists: Lists = {
    ...{ argv: [], env: [], dir: [], path: [], fd: [], limit: [], filter: [], id: [], timeout: [] },
    ...{ watch: [], tmpfs: [] },
  };
  eachSection(body, (tag, content) => readSection(tag, content, lists));
  demand(lists.argv.length > 0);
  if (lists.dir.length === 0) lists.dir.push("2f");
  return ["launch", process, ...lines(lists)].join(" ");
}

interface MakeLists {
  readonly ns: string[];
  readonly uid: string[];
  readonly gid: string[];
  readonly private: string[];
  readonly carried: string[];
  readonly cover: string[];
  readonly filter: string[];
}

function readMake(process: number, body: Bytes): string {
  const lists: MakeLists = { ns: [], uid: [], gid: [], private: [], carried: [], cover: [], filter: [] };
  eachSection(body, (tag, content) => readSectionOfMake(tag, content, lists));
  demand(lists.ns.length > 0 && lists.uid.length > 0 && lists.gid.length > 0);
  return ["make", process, ...lines(lists)].join(" ");
}

function readSectionOfMake(tag: number, { all, view }: Bytes, lists: MakeLists): void {
  switch (tag) {
    case Section.NAMESPACES: {
      demand(all.length === 4);
      const flags = view.getUint32(0, true);
      demand((flags & ~(NamespaceFlag.NETWORK | NamespaceFlag.IPC)) === 0);
      { once(lists.ns, () => String(flags)); return; }
    }
    case Section.USER_MAP:
      { once(lists.uid, () => text(all)); return; }
    case Section.GROUP_MAP:
      { once(lists.gid, () => text(all)); return; }
    case Section.PRIVATE: {
      const end = all.indexOf(0) + 1;
      demand(end > 0);
      const strings = [all.subarray(0, end), all.subarray(end)].map(text);
      demand(lists.private.length < Bound.MAX_TMPFS, Refusal.TOO_MANY);
      lists.private.push(strings.join("/"));
      return;
    }
    case Section.COVER: {
      const path = text(all);
      demand(lists.cover.length < Bound.MAX_COVERS, Refusal.TOO_MANY);
      lists.cover.push(path);
      return;
    }
    case Section.CARRIED: {
      const path = text(all);
      demand(lists.carried.length < Bound.MAX_CARRIED, Refusal.TOO_MANY);
      lists.carried.push(path);
      return;
    }
    case Section.FILTER:
      { readFilter(all, lists.filter); return; }
    default:
      throw new Refused(Refusal.UNKNOWN_SECTION);
  }
}

interface FurnishLists {
  readonly uid: string[];
  readonly gid: string[];
  readonly filter: string[];
  readonly op: string[];
}

function readFurnish(body: Bytes): string {
  const lists: FurnishLists = { uid: [], gid: [], filter: [], op: [] };
  eachSection(body, (tag, content) => readSectionOfFurnish(tag, content.all, lists));
  demand(lists.uid.length > 0 && lists.gid.length > 0);
  return ["furnish", ...lines(lists)].join(" ");
}

function readSectionOfFurnish(tag: number, all: Uint8Array, lists: FurnishLists): void {
  switch (tag) {
    case Section.USER_MAP:
      { once(lists.uid, () => text(all)); return; }
    case Section.GROUP_MAP:
      { once(lists.gid, () => text(all)); return; }
    case Section.FILTER:
      { readFilter(all, lists.filter); return; }
    case Section.OPERATION:
      { readOperation(bytesOf(all), lists.op); return; }
    default:
      throw new Refused(Refusal.UNKNOWN_SECTION);
  }
}

const { DIRECTORY, SYMLINK, FILE, BIND, TMPFS } = Operation;

function readOperation({ all, view }: Bytes, list: string[]): void {
  demand(all.length > 8);
  const end = all.indexOf(0, 8) + 1;
  demand(end > 0 && all[8] === 0x2f);
  demand(list.length < Bound.MAX_OPERATIONS, Refusal.TOO_MANY);
  const [operation, mode] = [view.getUint32(0, true), view.getUint32(4, true)];
  const rest = all.subarray(end);
  demand(Object.values<number>(Operation).includes(operation));
  const isOf = (...operations: readonly number[]): boolean => operations.includes(operation);
  if (isOf(SYMLINK, BIND, TMPFS)) text(rest);
  else demand(isOf(FILE) || rest.length === 0);
  const most = isOf(DIRECTORY, FILE) ? 0o7777 : isOf(BIND) ? Object.values(BindFlag).reduce((sum, flag) => sum + flag, 0) : 0;
  demand(mode <= most);
  list.push(`${operation}/${mode}/${text(all.subarray(8, end))}/${hex(rest)}`);
}

function readFilter(all: Uint8Array, list: string[]): void {
  demand(all.length > 0 && all.length % 8 === 0);
  demand(list.length < Bound.MAX_FILTERS, Refusal.TOO_MANY);
  demand(all.length / 8 <= Bound.MAX_FILTER_LENGTH, Refusal.TOO_MANY);
  list.push(hex(all));
}

function lines(lists: object): string[] {
  return Object.entries(lists).map(([name, values]) => {
    const list = values as readonly string[];
    return `${name}=${list.length}:${list.join(",")}`;
  });
}

function eachSection({ all, view }: Bytes, read: (tag: number, content: Bytes) => void): void {
  for (let offset = 0; offset < all.length; ) {
    demand(all.length - offset >= 8);
    const tag = view.getUint32(offset, true);
    const length = view.getUint32(offset + 4, true);
    const padded = Math.ceil(length / 4) * 4;
    const start = offset + 8;
    demand(padded <= all.length - start);
    demand(all.subarray(start + length, start + padded).every((byte) => byte === 0));
    read(tag, bytesOf(all.subarray(start, start + length)));
    offset = start + padded;
  }
}

function readSection(tag: number, content: Bytes, lists: Lists): void {
  const { all, view } = content;
  switch (tag) {
    case Section.ARGUMENT:
    case Section.VARIABLE: {
      const string = text(all);
      demand(lists.argv.length + lists.env.length < Bound.MAX_STRINGS, Refusal.TOO_MANY);
      (tag === Section.ARGUMENT ? lists.argv : lists.env).push(string);
      return;
    }
    case Section.DIRECTORY:
      { once(lists.dir, () => text(all)); return; }
    case Section.SEARCH_PATH:
      { once(lists.path, () => text(all)); return; }
    case Section.DESCRIPTOR:
      { readDescriptor(content, lists.fd); return; }
    case Section.LIMIT:
      demand(all.length === 24 && view.getUint32(4, true) === 0);
      demand(lists.limit.length < Bound.MAX_LIMITS, Refusal.TOO_MANY);
      lists.limit.push(`${view.getUint32(0, true)}/${view.getBigUint64(8, true)}/${view.getBigUint64(16, true)}`);
      return;
    case Section.FILTER:
      { readFilter(all, lists.filter); return; }
    case Section.IDENTITY: {
      demand(all.length >= 16);
      const path = text(all.subarray(16));
      demand(lists.id.length < Bound.MAX_IDENTITIES, Refusal.TOO_MANY);
      lists.id.push(`${view.getBigUint64(0, true)}/${view.getBigUint64(8, true)}/${path}`);
      return;
    }
    case Section.TIMEOUT:
      demand(all.length === 8);
      { once(lists.timeout, () => String(view.getBigUint64(0, true))); return; }
    case Section.WATCH: {
      demand(all.length === 24);
      const flags = view.getUint32(16, true);
      demand((flags === 0 || flags === WatchFlag.OWN_IPC) && view.getUint32(20, true) === 0);
      { once(lists.watch, () => `${view.getBigUint64(0, true)}/${view.getBigUint64(8, true)}/${flags}`); return; }
    }
    case Section.TMPFS: {
      const path = text(all);
      demand(lists.tmpfs.length < Bound.MAX_TMPFS, Refusal.TOO_MANY);
      lists.tmpfs.push(path);
      return;
    }
    default:
      throw new Refused(Refusal.UNKNOWN_SECTION);
  }
}

function readDescriptor({ all, view }: Bytes, list: string[]): void {
  demand(all.length === 12);
  demand(list.length < Bound.MAX_DESCRIPTORS, Refusal.TOO_MANY);
  const origin = view.getUint32(4, true);
  demand(Object.values<number>(Origin).includes(origin));
  list.push(`${view.getUint32(0, true)}/${origin}/${view.getUint32(8, true)}`);
}

function once(list: string[], read: () => string): void {
  demand(list.length === 0);
  list.push(read());
}

/** The bytes before the one NUL at the end, in hexadecimal. */
function text(bytes: Uint8Array): string {
  demand(bytes.length > 0 && bytes.indexOf(0) === bytes.length - 1);
  return hex(bytes.subarray(0, -1));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
