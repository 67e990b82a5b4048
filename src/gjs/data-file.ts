import type { DescriptorScope } from "../node/descriptor-scope.js";
import { writeSync } from "./node/fs.js";
import { checkedCall } from "./service-call.js";
import { SystemCallFailure } from "./system-calls.js";
import { MAX_DATA, Operation } from "./system-call-protocol.js";

/*
 * Namesake of src/node/data-file.ts: one call makes the file and fills it, if what is to be in it is not too long for that.
 */

/** A file in memory with these bytes, to be read from its start; owned by the scope. */
export function dataFile(bytes: Uint8Array, temporary: DescriptorScope): number {
  const start = bytes.subarray(0, MAX_DATA);
  const request = { operation: Operation.DATA, data: start, makes: 1 };
  const [file = -1] = checkedCall(request, (errno) => new SystemCallFailure("memfd_create", errno)).descriptors;
  temporary.own(file);
  for (let offset = start.length; offset < bytes.length; ) {
    offset += writeSync(file, bytes, offset, bytes.length - offset, offset);
  }
  return file;
}
