import { createRequire } from "node:module";
import type { MessageBus } from "dbus-next";
import { sandboxError } from "../../subprocess/glib-error.js";

/**
 * The parts of dbus-next (0.10.2) that stand below its socket layer, loaded when a bus is first wanted. It ships types
 * for its face only; these are ours.
 */
export interface DBusNextParts {
  /** Calls `onMessage` with each message that can be read from `source`, its body in the marshaller's own format. */
  unmarshalMessages(source: ByteSource, onMessage: (message: WireMessage) => void, options: object): void;
  /** The bytes of a message, and what stands in it as `h`, in order. */
  marshall(message: WireMessage): [bytes: Buffer, descriptors: number[]];
  /** Turns the body into plain JavaScript values, in place. */
  messageToJsFmt(message: WireMessage): BusMessageFields;
  parseSignature(signature: string): SignatureType[];
  /** Checks and completes the fields; throws if one is missing or not valid. */
  readonly Message: new (fields: BusMessageFields) => BusMessage;
}

/** What `unmarshalMessages` asks of a stream. */
export interface ByteSource {
  on(event: "readable", listener: () => void): void;
  /** Null if there are not so many bytes yet. `fds` is what `h` is looked up in. */
  read(length: number): { readonly data: Buffer; readonly fds: ArrayLike<number> } | Buffer | null;
}

/** One complete type of a signature; arrays and the like have their element types as children. */
export interface SignatureType {
  readonly type: string;
  readonly child: readonly SignatureType[];
}

/** Values of `type` in a message (D-Bus specification, "Message Format"). */
export const MessageType = { METHOD_CALL: 1, METHOD_RETURN: 2, ERROR: 3, SIGNAL: 4 } as const;

/** Bits of `flags` in a message. */
export const MessageFlag = { NO_REPLY_EXPECTED: 1, NO_AUTO_START: 2 } as const;

export interface BusMessageFields {
  readonly type: number;
  readonly serial?: number | null;
  readonly flags?: number;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly sender?: string | undefined;
  readonly signature?: string | undefined;
  readonly body?: readonly unknown[] | undefined;
}

/** A message with its body as plain values. */
export interface BusMessage extends BusMessageFields {
  readonly serial: number | null;
  readonly flags: number;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** A message with its body in the marshaller's format: dictionaries as pairs, variants as [signature, [value]]. */
export type WireMessage = BusMessageFields;

/** @throws GLibError gio-sandbox-error NOT_AVAILABLE: dbus-next is not installed */
export function dbusNextParts(): DBusNextParts {
  loaded ??= load();
  return loaded;
}

let loaded: DBusNextParts | null = null;

function load(): DBusNextParts {
  const message = required("dbus-next/lib/message.js") as Pick<DBusNextParts, "unmarshalMessages" | "marshall">;
  const format = required("dbus-next/lib/marshall-compat.js") as Pick<DBusNextParts, "messageToJsFmt">;
  const signature = required("dbus-next/lib/signature.js") as Pick<DBusNextParts, "parseSignature">;
  const types = required("dbus-next/lib/message-type.js") as Pick<DBusNextParts, "Message">;
  return {
    unmarshalMessages: message.unmarshalMessages,
    marshall: message.marshall,
    messageToJsFmt: format.messageToJsFmt,
    parseSignature: signature.parseSignature,
    Message: types.Message,
  };
}

/** dbus-next's class, which its own types say cannot be constructed: it runs over any connection of this shape. */
export type MessageBusConstructor = new (connection: object) => MessageBus;

/** @throws GLibError gio-sandbox-error NOT_AVAILABLE: dbus-next is not installed */
export function messageBusConstructor(): MessageBusConstructor {
  return required("dbus-next/lib/bus.js") as MessageBusConstructor;
}

function required(name: string): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch (cause) {
    throw sandboxError("NOT_AVAILABLE", "D-Bus needs the npm package dbus-next, which could not be loaded", { cause });
  }
}
