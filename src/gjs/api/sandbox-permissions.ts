import GObject from "gi://GObject?version=2.0";
import { loadProfile } from "../../node/profiles.js";
import { SandboxPermissions as Inside } from "../../permissions/sandbox-permissions.js";
import { call } from "./operation.js";
import { shared } from "./shared.js";
import type { Face } from "./snake-case.js";
import { addMembers, insideOf, putBehind } from "./snake-case.js";

/** What a child may do: see the class of this name for Node, whose members it has with names in snake_case. */
export type SandboxPermissions = Face<Inside>;

interface SandboxPermissionsClass {
  /** Those of a child that may do nothing. */
  new (): GObject.Object & SandboxPermissions;
  /** @throws GLib.Error `gio-sandbox-error-quark` INVALID_PERMISSION for what is no key file of permissions */
  from_key_file: (text: string) => SandboxPermissions;
}

class Permissions extends GObject.Object {
  static from_key_file(text: string): SandboxPermissions {
    return faceOf(call(() => Inside.fromKeyFile(text)));
  }

  constructor() {
    super();
    putBehind(this, new Inside());
  }
}

export const SandboxPermissions = shared("SandboxPermissions", (): SandboxPermissionsClass => {
  GObject.registerClass({ GTypeName: "GioSandboxPermissions" }, Permissions);
  addMembers(Permissions, Inside, faceOf);
  return Permissions as unknown as SandboxPermissionsClass;
});

function faceOf(inside: object): SandboxPermissions {
  const face = new SandboxPermissions();
  putBehind(face, inside);
  return face;
}

/** @internal what stands behind permissions @throws TypeError for anything else */
export function permissionsOf(face: unknown): Inside {
  const inside = insideOf(face);
  if (inside instanceof Inside) return inside;
  throw new TypeError(`Expected SandboxPermissions, but got ${typeof face}.`);
}

/** @internal the face of permissions */
export function facePermissions(inside: Inside): SandboxPermissions {
  return faceOf(inside);
}

/**
 * Reads a profile.
 *
 * @param name_or_path a path, with a slash in it; or the name of one that is installed, or of our own: `strict`,
 *   `thumbnailer`, `image-loader`, `web-content`, `meson-test`
 * @param base what the profile is applied to, as a copy; null: nothing
 * @throws GLib.Error `gio-sandbox-error-quark` INVALID_PERMISSION; `g-io-error-quark` NOT_FOUND, PERMISSION_DENIED,
 *   NOT_REGULAR_FILE and so on
 */
export type LoadProfile = (name_or_path: string, base?: SandboxPermissions | null) => SandboxPermissions;

export const load_profile = shared(
  "load_profile",
  (): LoadProfile =>
    (name_or_path, base = null) =>
      faceOf(call(() => loadProfile(name_or_path, ...(base === null ? [] : [permissionsOf(base)])))),
);
