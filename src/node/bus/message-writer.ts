import { Buffer } from "node:buffer";
import { ioError } from "../../subprocess/glib-error.js";
import type { BusMessageFields, DBusNextParts, SignatureType } from "./dbus-next-parts.js";
import { MAX_MESSAGE } from "./message-splitter.js";

/** A value with its own signature, the `v` of D-Bus. dbus-next's class Variant is one. */
export interface BusVariant {
  readonly signature: string;
  readonly value: unknown;
}

export function variant(signature: string, value: unknown): BusVariant {
  return { signature, value };
}

/** A message as it goes over the socket. */
export interface OutgoingMessage {
  readonly bytes: Buffer;
  /** The values that stood as `h` in the body. */
  readonly descriptors: readonly number[];
}

/**
 * Writes a message with a body of plain values: numbers (BigInt for 64 bits), strings, booleans, Uint8Array or an array
 * of numbers for `ay`, arrays for arrays and structs, `BusVariant`, the number of a descriptor for `h`; a Map or an
 * object for a dictionary, whose integer keys may be strings, as those of an object are.
 *
 * @throws TypeError: the body is not what the signature says
 * @throws GLibError g-io-error MESSAGE_TOO_LARGE
 */
export function writeMessage(parts: DBusNextParts, message: BusMessageFields): OutgoingMessage {
  const types = parts.parseSignature(message.signature ?? "");
  const values = message.body ?? [];
  if (types.length !== values.length) {
    throw new TypeError(
      `The signature “${message.signature ?? ""}” wants ${types.length} values, the body has ${values.length}`,
    );
  }
  const body = types.map((type, index) => marshallable(parts, type, values[index]));
  const [bytes, descriptors] = marshalled(parts, { ...fieldsOf(message), body });
  if (bytes.length > MAX_MESSAGE) {
    throw ioError("MESSAGE_TOO_LARGE", `A message of ${bytes.length} bytes is more than D-Bus allows`);
  }
  return { bytes, descriptors };
}

function marshalled(parts: DBusNextParts, message: BusMessageFields): [Buffer, readonly number[]] {
  try {
    return parts.marshall(message);
  } catch (cause) {
    throw new TypeError(`The message could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** dbus-next's Message has accessors, which a spread would lose. */
function fieldsOf(message: BusMessageFields): BusMessageFields {
  return {
    type: message.type,
    serial: message.serial ?? null,
    flags: message.flags ?? 0,
    path: message.path,
    interface: message.interface,
    member: message.member,
    errorName: message.errorName,
    replySerial: message.replySerial,
    destination: message.destination,
    sender: message.sender,
    signature: message.signature,
  };
}

/** A value in the marshaller's format: dictionaries as lists of pairs, variants as pairs of signature and value. */
function marshallable(parts: DBusNextParts, type: SignatureType, value: unknown): unknown {
  switch (type.type) {
    case "v":
      return marshallableVariant(parts, value);
    case "(":
      return marshallableStruct(parts, type, value);
    case "a":
      return marshallableArray(parts, type, value);
    default:
      return value;
  }
}

function marshallableVariant(parts: DBusNextParts, value: unknown): unknown {
  if (!isVariant(value)) throw new TypeError(`A variant is an object with signature and value, not ${kindOf(value)}`);
  const [type, ...others] = parts.parseSignature(value.signature);
  if (type === undefined || others.length > 0) {
    throw new TypeError(`A variant has one complete type, not “${value.signature}”`);
  }
  return [value.signature, marshallable(parts, type, value.value)];
}

function isVariant(value: unknown): value is BusVariant {
  return typeof value === "object" && value !== null && "value" in value && "signature" in value
    && typeof value.signature === "string";
}

function marshallableStruct(parts: DBusNextParts, type: SignatureType, value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== type.child.length) {
    throw new TypeError(`A struct of ${type.child.length} members is an array of as many, not ${kindOf(value)}`);
  }
  return type.child.map((member, index) => marshallable(parts, member, value[index]));
}

function marshallableArray(parts: DBusNextParts, type: SignatureType, value: unknown): unknown {
  const [element] = type.child;
  if (element === undefined) throw new TypeError("An array in a signature lacks its element type");
  if (element.type === "{") return marshallableDictionary(parts, element, value);
  if (element.type === "y" && value instanceof Uint8Array) return Buffer.from(value);
  if (!Array.isArray(value)) throw new TypeError(`An array was expected, not ${kindOf(value)}`);
  return value.map((item: unknown) => marshallable(parts, element, item));
}

function marshallableDictionary(parts: DBusNextParts, entry: SignatureType, value: unknown): unknown {
  const [keyType, valueType] = entry.child;
  if (keyType === undefined || valueType === undefined) throw new TypeError("A dictionary entry has a key and a value");
  return dictionaryEntries(value).map(([key, item]) => [
    dictionaryKey(keyType, key),
    marshallable(parts, valueType, item),
  ]);
}

function dictionaryEntries(value: unknown): (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new TypeError(`A dictionary is a Map or an object, not ${kindOf(value)}`);
}

function dictionaryKey(type: SignatureType, key: unknown): unknown {
  if (typeof key !== "string") return key;
  if ("ynqiuh".includes(type.type)) return Number(key);
  return "xt".includes(type.type) ? BigInt(key) : key;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? `an array of ${value.length}` : typeof value;
}
