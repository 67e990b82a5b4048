import { checkedCall } from "../service-call.js";
import { ownPid } from "../socket-pair.js";
import { MAX_PATH } from "../system-call-protocol.js";
import type { ServiceReply, ServiceRequest } from "../system-service.js";
import { fileError } from "./failure.js";

/**
 * Has a system call made that takes a path.
 *
 * @param syscall what it is called in the error
 * @throws Error as Node's
 */
export function pathCall(syscall: string, path: string, request: Omit<ServiceRequest, "data">): ServiceReply {
  const data = new TextEncoder().encode(servicePath(path));
  if (data.length >= MAX_PATH) throw fileError("ENAMETOOLONG", syscall, path);
  return checkedCall({ ...request, data }, (errno) => fileError(errno, syscall, path));
}

/** A path that leads gio-sandbox-calls, another process, to where `path` leads this one. */
export function servicePath(path: string): string {
  checkPath(path);
  if (path === "" || path.startsWith("/")) {
    return path
      .replace(/^\/dev\/fd(?=\/)/, "/proc/self/fd")
      .replace(/^\/dev\/(stdin|stdout|stderr)$/, (_all, stream: string) => `/proc/self/fd/${streams.indexOf(stream)}`)
      .replace(/^\/proc\/(?:thread-)?self(?=\/)/, `/proc/${ownPid()}`);
  }
  return `/proc/${ownPid()}/cwd/${path}`;
}

const streams = ["stdin", "stdout", "stderr"];

/** C would see a part of such a path only. */
export function checkPath(path: string): void {
  if (!path.includes("\0")) return;
  const error = new TypeError(`The argument 'path' must be a string without null bytes. Received ${JSON.stringify(path)}`);
  throw Object.assign(error, { code: "ERR_INVALID_ARG_VALUE" });
}
