import { writeSync } from "node:fs";
import type { DescriptorScope } from "./descriptor-scope.js";

/** A file in memory with these bytes, to be read from its start; owned by the scope. */
export function dataFile(bytes: Uint8Array, temporary: DescriptorScope): number {
  const file = temporary.memoryFile("gio-sandbox-data");
  // at a position, so that the file's own stays at the start
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset, bytes.length - offset, offset);
  return file;
}
