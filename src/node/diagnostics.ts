import { readSync } from "node:fs";
import type { DescriptorScope } from "./descriptor-scope.js";

/** A file for what a helper program writes to its standard error: read only if something went wrong. */
export function openDiagnostics(scope: DescriptorScope): number {
  return scope.memoryFile("gio-sandbox-diagnostics");
}

const MAX_LENGTH = 8192;

/** The beginning of what was written. */
export function readDiagnostics(file: number): string {
  const bytes = new Uint8Array(MAX_LENGTH);
  return new TextDecoder().decode(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0)));
}
