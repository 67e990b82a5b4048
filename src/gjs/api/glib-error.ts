import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import type { Limit } from "../../permissions/permission-set.js";
import { ErrorDomain, GLibError, SandboxError as codes } from "../../subprocess/glib-error.js";
import type { ResourceUsage } from "./resource-usage.js";
import { snakeCased } from "./snake-case.js";

/** A domain with its codes, as `Gio.IOErrorEnum` is one. */
export type SandboxErrorDomain = typeof codes & {
  new (properties: { readonly code: number; readonly message: string }): GLib.Error;
  [Symbol.toPrimitive](): number;
};

/** `gio-sandbox-error-quark`: `error.matches(SandboxError, SandboxError.NOT_AVAILABLE)`. */
export const SandboxError: SandboxErrorDomain = Object.freeze(
  Object.assign(newSandboxError as unknown as SandboxErrorDomain, { ...codes, [Symbol.toPrimitive]: quark }),
);

function newSandboxError({ code, message }: { readonly code: number; readonly message: string }): GLib.Error {
  return GLib.Error.new_literal(quark(), code, message);
}

function quark(): number {
  return GLib.quark_from_string(ErrorDomain.SANDBOX);
}

/** What our errors say besides domain, code and message. */
export interface SandboxErrorDetails {
  /** SETUP_FAILED: what a helper program wrote to its standard error, control characters escaped; null for everything else. */
  readonly diagnostics: string | null;
  /** LIMIT_EXCEEDED, TIMED_OUT: the limit that ended the child; null for everything else. */
  readonly limit: Limit | null;
  /** LIMIT_EXCEEDED, TIMED_OUT: what the child had used by then; null if that is not known. */
  readonly usage: ResourceUsage | null;
}

/** What the application gets of an error: GLib's own class, for what is one. Others, which are TypeErrors, stay what they are. */
export function applicationError(error: unknown): unknown {
  if (!(error instanceof GLibError)) return error;
  const { diagnostics, limit, usage } = error;
  const details: SandboxErrorDetails = { diagnostics, limit, usage: usage && snakeCased(usage) };
  return Object.assign(newError(error), details);
}

function newError({ domain, code, message }: GLibError): GLib.Error {
  switch (domain) {
    case ErrorDomain.SPAWN:
      return new GLib.SpawnError({ code, message });
    case ErrorDomain.IO:
      return new Gio.IOErrorEnum({ code, message });
    default:
      return GLib.Error.new_literal(GLib.quark_from_string(domain), code, message);
  }
}
