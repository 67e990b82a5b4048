import type { LaunchFailure } from "../init/decode.js";
import { Refusal, Step } from "../init/protocol.js";
import { errnoMessage, errnoOfNumber } from "../subprocess/errno.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { chdirError, descriptorError, execError, forkError, sandboxError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { printable } from "../subprocess/printable.js";
import type { ResolvedMount } from "./host-facts.js";
import { timedOutError } from "./limit-errors.js";

/**
 * The error for a launch that init reports as failed: GLib's own, where the command is to blame; of our own domain,
 * where the sandbox is.
 */
export function launchFailureError(
  { step, errno, detail }: LaunchFailure,
  command: CommandRequest,
  mounts: readonly ResolvedMount[],
): GLibError {
  const name = errnoOfNumber(errno);
  if (name === "ETIMEDOUT" && command.timeout !== null) return timedOutError(command.timeout, null);
  switch (step) {
    case Step.EXEC:
      return execError(name, command.argv[0] ?? "");
    case Step.DIRECTORY:
      return chdirError(name, command.directory);
    case Step.DESCRIPTOR:
      return descriptorError(name);
    case Step.FORK:
      return forkError(name);
    case Step.IDENTITY: {
      const path = printable(mounts[detail]?.path ?? "a granted path");
      const what = errno === 0 ? "another file has taken its place" : errnoMessage(name);
      return sandboxError("SETUP_FAILED", `“${path}” is not in the sandbox what was granted: ${what}`);
    }
    case Step.LIMIT:
      return sandboxError("SETUP_FAILED", `A resource limit could not be set: ${errnoMessage(name)}`);
    case Step.NO_NEW_PRIVILEGES:
      return sandboxError("SETUP_FAILED", `New privileges could not be ruled out: ${errnoMessage(name)}`);
    case Step.FILTER:
      return sandboxError("SETUP_FAILED", `The system call filter could not be installed: ${errnoMessage(name)}`);
    case Step.WATCH:
      return sandboxError("SETUP_FAILED", `The limits of the sandbox could not be watched: ${errnoMessage(name)}`);
    case Step.FILE_SYSTEMS:
    case Step.PRIVATE:
    case Step.COVER:
    case Step.NETWORK:
    case Step.USER:
    case Step.CAPABILITIES:
    case Step.CARRIED:
    case Step.FURNISH:
      return sandboxFailureError({ step, errno });
  }
}

/** The error for a sandbox that could not be made after a template's example. */
export function sandboxFailureError({ step, errno }: Pick<LaunchFailure, "step" | "errno">): GLibError {
  const what = errnoMessage(errnoOfNumber(errno));
  return sandboxError("SETUP_FAILED", `The sandbox could not be set up: ${madeParts[step] ?? "its first process"}: ${what}`);
}

const madeParts: Partial<Record<Step, string>> = {
  [Step.FORK]: "its namespaces",
  [Step.FILE_SYSTEMS]: "its /proc and /dev/pts",
  [Step.PRIVATE]: "a private directory",
  [Step.CARRIED]: "what was granted in a private directory",
  [Step.COVER]: "what can only be read in /proc",
  [Step.FURNISH]: "its root directory",
  [Step.NETWORK]: "its loopback device",
  [Step.USER]: "its user namespace",
  [Step.CAPABILITIES]: "its capabilities",
  [Step.FILTER]: "its system call filter",
};

/** The error for an init that does not understand its launcher. */
export function refusalError(reason: Refusal): GLibError {
  const name = Object.entries(Refusal).find(([, value]) => value === reason)?.[0] ?? String(reason);
  return sandboxError("SETUP_FAILED", `gio-sandbox-init refused what it was told (${name}): it may be of another version`);
}
