/*
 * What GJS lacks, in every module of the bundle. Symbols first: classes with members of that name are made after this.
 */
import "./symbols.js";

export { LoopPromise } from "./loop-promise.js";
