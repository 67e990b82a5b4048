/*
 * What GJS lacks, or has in a way that a blocking call cannot wait for, in every module of the bundle. Symbols first:
 * classes with members of that name are made after this.
 */
import "./symbols.js";

export { AbortController, AbortSignal } from "./abort.js";
export { LoopPromise } from "./loop-promise.js";
export { TextDecoder } from "./text-decoder.js";
export { clearTimeout, setImmediate, setTimeout } from "./timers.js";
export { URL } from "./url.js";
