import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";

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

/** A body, and duplicates of its descriptors. */
export interface WrittenBody {
  readonly body: GLib.Variant;
  readonly descriptors: Gio.UnixFDList;
}

/**
 * Writes a body of plain values: numbers, strings, booleans, Uint8Array or an array of numbers for `ay`, arrays for arrays
 * and structs, `BusVariant`, the number of a descriptor for `h`; a Map or an object for a dictionary, whose integer keys may
 * be strings, as those of an object are.
 *
 * @throws TypeError: the body is not what the signature says
 */
export function writeBody(signature: string, values: readonly unknown[]): WrittenBody {
  const descriptors = Gio.UnixFDList.new();
  const writer = new Writer(descriptors);
  const types = typesIn(signature);
  if (types.length !== values.length) {
    throw new TypeError(`The signature “${signature}” wants ${types.length} values, the body has ${values.length}`);
  }
  return { body: GLib.Variant.new_tuple(types.map((type, index) => writer.write(type, values[index]))), descriptors };
}

class Writer {
  readonly #descriptors: Gio.UnixFDList;

  constructor(descriptors: Gio.UnixFDList) {
    this.#descriptors = descriptors;
  }

  write(type: string, value: unknown): GLib.Variant {
    switch (type[0]) {
      case "a":
        return this.#array(type.slice(1), value);
      case "(":
        return GLib.Variant.new_tuple(this.#each(typesIn(type.slice(1, -1)), value as readonly unknown[]));
      case "v": {
        const { signature, value: inner } = value as BusVariant;
        return GLib.Variant.new_variant(this.write(signature, inner));
      }
      case "h":
        return GLib.Variant.new_handle(this.#descriptors.append(Number(value)));
      case "s":
        return GLib.Variant.new_string(String(value));
      case "o":
        return GLib.Variant.new_object_path(String(value));
      case "g":
        return GLib.Variant.new_signature(String(value));
      case "b":
        return GLib.Variant.new_boolean(value === true);
      default:
        return this.#number(type, value);
    }
  }

  #array(element: string, value: unknown): GLib.Variant {
    const type = new GLib.VariantType(element);
    if (element.startsWith("{")) {
      const [keyType = "", valueType = ""] = typesIn(element.slice(1, -1));
      const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object);
      const written = entries.map(
        ([key, item]): GLib.Variant => GLib.Variant.new_dict_entry(this.write(keyType, key), this.write(valueType, item)),
      );
      return GLib.Variant.new_array(type, written);
    }
    const items = value instanceof Uint8Array ? [...value] : (value as readonly unknown[]);
    return GLib.Variant.new_array(type, items.map((item) => this.write(element, item)));
  }

  #each(types: readonly string[], values: readonly unknown[]): GLib.Variant[] {
    return types.map((type, index) => this.write(type, values[index]));
  }

  #number(type: string, value: unknown): GLib.Variant {
    const number = Number(value);
    switch (type) {
      case "y":
        return GLib.Variant.new_byte(number);
      case "n":
        return GLib.Variant.new_int16(number);
      case "q":
        return GLib.Variant.new_uint16(number);
      case "i":
        return GLib.Variant.new_int32(number);
      case "u":
        return GLib.Variant.new_uint32(number);
      case "x":
        return GLib.Variant.new_int64(number);
      case "t":
        return GLib.Variant.new_uint64(number);
      case "d":
        return GLib.Variant.new_double(number);
      default:
        throw new TypeError(`“${type}” is no type of D-Bus`);
    }
  }
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
