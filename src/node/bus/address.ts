import type { GLibError } from "../../subprocess/glib-error.js";
import { ioError } from "../../subprocess/glib-error.js";
import { printable } from "../../subprocess/printable.js";

/** One socket that a bus address names. */
export interface BusSocketAddress {
  readonly kind: "path" | "abstract";
  /** The path or the abstract name, as bytes and without a NUL. */
  readonly name: Uint8Array;
  /** 32 hexadecimal digits that the server must show; null if the address does not say. */
  readonly guid: string | null;
  /** The entry as it was written. */
  readonly text: string;
}

/** An entry of an address list that we cannot connect to, and why. */
export interface UnusableAddress {
  readonly kind: "unusable";
  readonly reason: string;
  readonly text: string;
}

export type BusAddressEntry = BusSocketAddress | UnusableAddress;

/**
 * The entries of a D-Bus server address ("Server Addresses" in the D-Bus specification), in the order in which they are
 * to be tried. An entry of a kind that a client of ours cannot use is in the list with its reason.
 *
 * @throws GLibError g-io-error INVALID_ARGUMENT: not an address
 */
export function parseBusAddress(address: string): BusAddressEntry[] {
  if (address.length > MAX_ADDRESS) throw malformed(address, `it is longer than ${MAX_ADDRESS} characters`);
  const entries = address
    .split(";")
    .filter((text) => text !== "")
    .map(parseEntry);
  if (entries.length === 0) throw malformed(address, "it is empty");
  return entries;
}

const MAX_ADDRESS = 65536;

/** sizeof(sun_path) in struct sockaddr_un (include/uapi/linux/un.h); a path needs a NUL behind it, a name one before. */
const MAX_SOCKET_NAME = 107;

/** These name what a server listens on: "only to be used for server addresses, not for client addresses". */
const serverOnlyKeys = ["dir", "tmpdir", "runtime"];

function parseEntry(text: string): BusAddressEntry {
  const colon = text.indexOf(":");
  if (colon < 1) throw malformed(text, "an entry is TRANSPORT:KEY=VALUE,…");
  const transport = text.slice(0, colon);
  const values = parseValues(text, text.slice(colon + 1));
  const unusable = (reason: string): UnusableAddress => ({ kind: "unusable", reason, text });

  if (transport !== "unix") return unusable(`the transport ${printable(transport)} is not supported`);
  const guid = parseGuid(text, values.get("guid"));
  const path = values.get("path");
  const abstract = values.get("abstract");
  if (path !== undefined && abstract !== undefined) throw malformed(text, "path and abstract exclude each other");
  const name = path ?? abstract;
  if (name === undefined) {
    const key = serverOnlyKeys.find((candidate) => values.has(candidate));
    if (key === undefined) throw malformed(text, "unix needs path or abstract");
    return unusable(`${key} is for servers: a client needs path or abstract`);
  }
  if (name.length === 0) throw malformed(text, "the name of the socket is empty");
  if (name.includes(0)) throw malformed(text, "the name of the socket contains a NUL");
  if (name.length > MAX_SOCKET_NAME) return unusable(`its name is longer than ${MAX_SOCKET_NAME} bytes`);
  return { kind: path === undefined ? "abstract" : "path", name, guid, text };
}

function parseValues(text: string, list: string): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  for (const pair of list === "" ? [] : list.split(",")) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw malformed(text, `“${printable(pair)}” is not KEY=VALUE`);
    const key = pair.slice(0, equals);
    if (values.has(key)) throw malformed(text, `${printable(key)} is there twice`);
    values.set(key, percentDecoded(text, pair.slice(equals + 1)));
  }
  return values;
}

function percentDecoded(text: string, value: string): Uint8Array {
  if (/%(?![0-9A-Fa-f]{2})/.test(value)) throw malformed(text, "% must stand before two hexadecimal digits");
  const bytes = value
    .split(/(%[0-9A-Fa-f]{2})/)
    .flatMap((piece) => (piece.startsWith("%") ? [parseInt(piece.slice(1), 16)] : [...new TextEncoder().encode(piece)]));
  return new Uint8Array(bytes);
}

/** A value as an address carries it. */
export function percentEncoded(value: string): string {
  return Array.from(new TextEncoder().encode(value), (byte) => {
    const character = String.fromCharCode(byte);
    return /[-0-9A-Za-z_/.*]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

function parseGuid(text: string, value: Uint8Array | undefined): string | null {
  if (value === undefined) return null;
  const guid = new TextDecoder("latin1").decode(value).toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(guid)) throw malformed(text, "guid must be 32 hexadecimal digits");
  return guid;
}

function malformed(text: string, reason: string): GLibError {
  return ioError("INVALID_ARGUMENT", `“${printable(text)}” is not a D-Bus address: ${reason}`);
}

/**
 * The address of one of the two well-known buses, by the environment.
 *
 * @throws GLibError g-io-error NOT_FOUND: the environment names no session bus
 */
export function wellKnownBusAddress(bus: "session" | "system", environment: Environment): string {
  if (bus === "system") {
    return nonEmpty(environment["DBUS_SYSTEM_BUS_ADDRESS"]) ?? "unix:path=/var/run/dbus/system_bus_socket";
  }
  const address = nonEmpty(environment["DBUS_SESSION_BUS_ADDRESS"]);
  if (address !== null) return address;
  const runtimeDirectory = nonEmpty(environment["XDG_RUNTIME_DIR"]);
  if (runtimeDirectory !== null) return `unix:path=${percentEncoded(`${runtimeDirectory}/bus`)}`;
  throw ioError(
    "NOT_FOUND",
    "There is no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set",
  );
}

/** Variables by name, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

function nonEmpty(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}
