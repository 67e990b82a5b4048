import type GLib from "gi://GLib?version=2.0";
import { variant } from "./message-writer.js";

/** The values of a body, plain as those that are written; of 64 bits as BigInt. An `h` is undefined: descriptors that are sent to us are not taken. */
export function readBody(body: GLib.Variant): unknown[] {
  return children(body).map(read);
}

function read(value: GLib.Variant): unknown {
  const type = value.get_type_string();
  switch (type[0]) {
    case "v": {
      const inner = value.get_variant();
      return variant(inner.get_type_string(), read(inner));
    }
    case "a":
      if (type === "ay") return value.get_data_as_bytes().toArray();
      return type.startsWith("a{") ? Object.fromEntries(children(value).map(entry)) : children(value).map(read);
    case "(":
      return children(value).map(read);
    case "h":
      return undefined;
    case "x":
    case "t":
      return BigInt(value.print(false));
    default:
      return value.unpack();
  }
}

function entry(value: GLib.Variant): [string, unknown] {
  const [key, item] = children(value);
  if (key === undefined || item === undefined) throw new TypeError("An entry of a dictionary has a key and a value");
  return [String(read(key)), read(item)];
}

function children(value: GLib.Variant): GLib.Variant[] {
  return Array.from({ length: value.n_children() }, (_, index) => value.get_child_value(index));
}
