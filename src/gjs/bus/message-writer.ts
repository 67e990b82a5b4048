import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { ioError, sandboxError } from "../../subprocess/glib-error.js";

/*
 * Namesake of src/node/bus/message-writer.ts: bodies for GDBus, of the same plain values.
 */

/** A value with its own signature, the `v` of D-Bus. */
export interface BusVariant {
  readonly signature: string;
  readonly value: unknown;
}

export function variant(signature: string, value: unknown): BusVariant {
  return { signature, value };
}

/** A body, and duplicates of its descriptors, which are to be closed when it has been sent. */
export interface WrittenBody {
  readonly body: GLib.Variant;
  readonly descriptors: Gio.UnixFDList;
}

/** What a message bus lets through at once: `max_message_unix_fds` of dbus-daemon. With more it hangs up. */
const MAX_DESCRIPTORS = 16;

/**
 * Writes a body of plain values: numbers (also BigInt for 64 bits), strings, booleans, Uint8Array or an array of numbers for
 * `ay`, arrays for arrays and structs, `BusVariant`, the number of a descriptor for `h`; a Map or an object for a
 * dictionary, whose integer keys may be strings, as those of an object are.
 *
 * @throws TypeError: the body is not what the signature says
 * @throws GLibError gio-sandbox-error LIMIT_EXCEEDED: more than 16 descriptors; g-io-error INVALID_ARGUMENT: one is not open
 */
export function writeBody(signature: string, values: readonly unknown[]): WrittenBody {
  const writer = new Writer();
  try {
    return { body: GLib.Variant.new_tuple(writer.each(typesIn(signature), values)), descriptors: writer.descriptors };
  } catch (error) {
    closeDescriptors(writer.descriptors);
    throw error;
  }
}

/** At once, and not when the list is collected: somebody waits for the end of a pipe. */
export function closeDescriptors(descriptors: Gio.UnixFDList): void {
  for (const descriptor of descriptors.steal_fds()) GLib.close(descriptor);
}

class Writer {
  readonly descriptors = Gio.UnixFDList.new();

  write(type: string, value: unknown): GLib.Variant {
    switch (type[0]) {
      case "a":
        return this.#array(type.slice(1), value);
      case "(":
        if (!Array.isArray(value)) throw mismatch(type, value);
        return GLib.Variant.new_tuple(this.each(typesIn(type.slice(1, -1)), value));
      case "v":
        return this.#variant(value);
      case "h":
        return GLib.Variant.new_handle(this.#descriptor(value));
      default:
        return writeBasic(type, value);
    }
  }

  each(types: readonly string[], values: readonly unknown[]): GLib.Variant[] {
    if (types.length !== values.length) {
      throw new TypeError(`The signature “${types.join("")}” wants ${types.length} values, there are ${values.length}`);
    }
    return types.map((type, index) => this.write(type, values[index]));
  }

  #variant(value: unknown): GLib.Variant {
    if (!isVariant(value)) throw mismatch("v", value);
    const [type, ...others] = typesIn(value.signature);
    if (type === undefined || others.length > 0) throw new TypeError(`A variant has one complete type, not “${value.signature}”`);
    return GLib.Variant.new_variant(this.write(type, value.value));
  }

  #array(element: string, value: unknown): GLib.Variant {
    if (element.startsWith("{")) return this.#dictionary(element, value);
    if (element === "y" && value instanceof Uint8Array) return GLib.Variant.new_from_bytes(BYTES, new GLib.Bytes(value), true);
    if (!Array.isArray(value)) throw mismatch(`a${element}`, value);
    return GLib.Variant.new_array(new GLib.VariantType(element), value.map((item) => this.write(element, item)));
  }

  #dictionary(entry: string, value: unknown): GLib.Variant {
    const [keyType = "", valueType = ""] = typesIn(entry.slice(1, -1));
    const entries = entriesOf(entry, value).map(
      ([key, item]): GLib.Variant =>
        GLib.Variant.new_dict_entry(writeBasic(keyType, keyOf(keyType, key)), this.write(valueType, item)),
    );
    return GLib.Variant.new_array(new GLib.VariantType(entry), entries);
  }

  #descriptor(value: unknown): number {
    if (this.descriptors.get_length() === MAX_DESCRIPTORS) {
      throw sandboxError("LIMIT_EXCEEDED", `A message on a bus carries at most ${MAX_DESCRIPTORS} descriptors`);
    }
    if (!isInteger(value, 0, 2 ** 31 - 1)) throw mismatch("h", value);
    try {
      return this.descriptors.append(Number(value));
    } catch (cause) {
      throw ioError("INVALID_ARGUMENT", `The descriptor ${value} is not open`, { cause });
    }
  }
}

const BYTES = new GLib.VariantType("ay");

function writeBasic(type: string, value: unknown): GLib.Variant {
  switch (typeof value) {
    case "string":
      return writeString(type, value);
    case "boolean":
      if (type === "b") return GLib.Variant.new_boolean(value);
      break;
    default:
      if (type === "d" && typeof value === "number") return GLib.Variant.new_double(value);
      if (isInteger(value, ...(ranges.get(type) ?? NOTHING))) return writeInteger(type, value);
  }
  throw mismatch(type, value);
}

function writeString(type: string, text: string): GLib.Variant {
  if (type === "s" && !text.includes("\0")) return GLib.Variant.new_string(text);
  if (type === "o" && GLib.Variant.is_object_path(text)) return GLib.Variant.new_object_path(text);
  if (type === "g" && GLib.Variant.is_signature(text)) return GLib.Variant.new_signature(text);
  throw mismatch(type, text);
}

/** By its digits: one of 64 bits may be more than a number of the language's holds. */
function writeInteger(type: string, value: number | bigint): GLib.Variant {
  return GLib.Variant.parse(new GLib.VariantType(type), String(value), null, null);
}

type Range = readonly [min: number | bigint, max: number | bigint];

const ranges: ReadonlyMap<string, Range> = new Map<string, Range>([
  ["y", [0, 0xff]],
  ["n", [-0x8000, 0x7fff]],
  ["q", [0, 0xffff]],
  ["i", [-0x80000000, 0x7fffffff]],
  ["u", [0, 0xffffffff]],
  ["x", [-(2n ** 63n), 2n ** 63n - 1n]],
  ["t", [0n, 2n ** 64n - 1n]],
]);

const NOTHING: Range = [1, 0];

function isInteger(value: unknown, min: number | bigint, max: number | bigint): value is number | bigint {
  const isOne = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  return isOne && value >= min && value <= max;
}

function isVariant(value: unknown): value is BusVariant {
  return typeof value === "object" && value !== null && "value" in value && "signature" in value
    && typeof value.signature === "string";
}

function entriesOf(type: string, value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw mismatch(`a${type}`, value);
}

function keyOf(type: string, key: unknown): unknown {
  return typeof key === "string" && ranges.has(type) && /^-?\d+$/.test(key) ? BigInt(key) : key;
}

function mismatch(type: string, value: unknown): TypeError {
  return new TypeError(`“${type}” is not what ${value === null ? "null" : typeof value} can be written as`);
}

/** The complete types that a signature has one after another. */
export function typesIn(signature: string): string[] {
  const types: string[] = [];
  for (let start = 0; start < signature.length; ) {
    const end = endOfType(signature, start);
    types.push(signature.slice(start, end));
    start = end;
  }
  return types;
}

function endOfType(signature: string, start: number): number {
  let end = start;
  while (signature[end] === "a") end++;
  let depth = 0;
  do {
    const letter = signature[end] ?? "";
    if (letter === "") throw new TypeError(`“${signature}” is no signature of D-Bus`);
    if ("({".includes(letter)) depth++;
    else if (")}".includes(letter)) depth--;
    end++;
  } while (depth > 0);
  return end;
}
