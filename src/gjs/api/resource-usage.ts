import type { ResourceUsage as Inside } from "../../init/decode.js";
import type { SnakeCased } from "./snake-case.js";

/** What a process used, with its children that it waited for: getrusage(2). `user_microseconds` and so on. */
export type ResourceUsage = SnakeCased<Inside>;
