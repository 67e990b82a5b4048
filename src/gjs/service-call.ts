import type { Errno } from "../subprocess/errno.js";
import { errnoOfNumber } from "../subprocess/errno.js";
import type { ServiceReply, ServiceRequest } from "./system-service.js";
import { callService } from "./system-service.js";

/**
 * Has a system call made that must succeed.
 *
 * @param failure makes what is thrown if it does not
 * @throws GLibError as `callService()`
 */
export function checkedCall(request: ServiceRequest, failure: (errno: Errno) => Error): ServiceReply {
  const reply = callService(request);
  if (reply.result < 0) throw failure(errnoOfNumber(-reply.result));
  return reply;
}
