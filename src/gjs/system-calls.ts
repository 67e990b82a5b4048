import GLib from "gi://GLib?version=2.0";
import type { SystemCalls as AllCalls } from "../node/system-calls.js";
import type { Errno } from "../subprocess/errno.js";
import { errnoMessage } from "../subprocess/errno.js";
import { duplicateDescriptor } from "./duplicate-descriptor.js";
import { errnoOfGLib } from "./glib-errno.js";
import { checkedCall } from "./service-call.js";
import { Operation } from "./system-call-protocol.js";

/*
 * In the place of src/node/system-calls.ts: the system calls of it that the bundle uses. GDBus connects to the buses, and
 * control.ts sends descriptors. Calls throw NOT_AVAILABLE if gio-sandbox-calls cannot be started.
 */

export type SystemCalls = Omit<AllCalls, "connect" | "send">;

/** That the calls cannot be had shows in the first of them here. */
export type { SystemCallsMissing } from "../node/system-calls.js";

export class SystemCallFailure extends Error {
  override readonly name = "SystemCallFailure";
  readonly call: string;
  readonly errno: Errno;

  constructor(call: string, errno: Errno) {
    super(errnoMessage(errno));
    this.call = call;
    this.errno = errno;
  }
}

export function systemCalls(): SystemCalls {
  return calls;
}

export function callsAtHand(): SystemCalls {
  return calls;
}

export function isKoffiSpared(): boolean {
  return false;
}

const calls: SystemCalls = {
  duplicate(descriptor) {
    try {
      return duplicateDescriptor(descriptor);
    } catch (error) {
      // which GLib has no error of its own for
      throw new SystemCallFailure("fcntl", calls.isOpen(descriptor) ? errnoOfGLib(error) : "EBADF");
    }
  },
  isOpen: (descriptor) => GLib.file_test(`/proc/self/fd/${descriptor}`, GLib.FileTest.IS_SYMLINK),
  setCloseOnExec() {
    // there is no fcntl(2), and no need: children are started by GLib, which closes all that they are not given
  },
  pipe: () => pair("pipe2", Operation.PIPE),
  socketPair: () => pair("socketpair", Operation.SOCKETPAIR),
  memoryFile(label) {
    const data = new TextEncoder().encode(label);
    return checkedCall({ operation: Operation.MEMFD, data, makes: 1 }, failure("memfd_create")).descriptors[0] ?? -1;
  },
};

function pair(name: string, operation: Operation): readonly [number, number] {
  const [first = -1, second = -1] = checkedCall({ operation, makes: 2 }, failure(name)).descriptors;
  return [first, second];
}

function failure(call: string): (errno: Errno) => SystemCallFailure {
  return (errno) => new SystemCallFailure(call, errno);
}
