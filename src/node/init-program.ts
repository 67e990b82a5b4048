import { constants, openSync } from "node:fs";
import { arch } from "node:process";
import { fileURLToPath } from "node:url";
import { sandboxError } from "../subprocess/glib-error.js";

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * gio-sandbox-init, opened for execution. It is opened once, so that what runs is what was there at the first launch;
 * the descriptor is close-on-exec and stays open.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if there is none
 */
export function initProgram(): number {
  descriptor ??= openInit();
  return descriptor;
}

let descriptor: number | null = null;

/**
 * The path of gio-sandbox-init.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if there can be none
 */
export function initProgramPath(): string {
  const architecture = architectures[arch];
  if (architecture === undefined) {
    throw sandboxError("NOT_AVAILABLE", `No sandbox is available: there is no gio-sandbox-init for ${arch}.`);
  }
  return fileURLToPath(new URL(`../../dist/native/${architecture}/gio-sandbox-init`, import.meta.url));
}

function openInit(): number {
  const path = initProgramPath();
  try {
    return openSync(path, constants.O_RDONLY);
  } catch (cause) {
    throw sandboxError("NOT_AVAILABLE", `No sandbox is available: ${path} cannot be opened. Run tools/setup.`, { cause });
  }
}
