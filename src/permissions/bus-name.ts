import { printable } from "../subprocess/printable.js";
import { invalidPermission } from "./vocabulary.js";

/** D-Bus specification, “Valid Names”: DBUS_MAXIMUM_NAME_LENGTH. */
const MAX_LENGTH = 255;

const wellKnownName = /^[A-Za-z_-][\w-]*(?:\.[A-Za-z_-][\w-]*)+$/;

/**
 * Checks a well-known bus name, or one with `.*` at its end: that name and all below it.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION
 */
export function checkBusName(pattern: string): void {
  const name = stem(pattern);
  if (name.length <= MAX_LENGTH && wellKnownName.test(name)) return;
  throw invalidPermission(
    `Expected a name on the bus, such as org.example.Name or org.example.*, but got “${printable(pattern, 80)}”`,
  );
}

/** Whether all names that `inner` stands for are among those of `outer`. */
export function covers(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  return outer.endsWith(".*") && (stem(inner) === stem(outer) || inner.startsWith(outer.slice(0, -1)));
}

function stem(pattern: string): string {
  return pattern.endsWith(".*") ? pattern.slice(0, -2) : pattern;
}
