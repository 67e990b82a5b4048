/** Contenders that are programs of their own, since they are in another language or would be in the way of the others. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Contender } from "./measure.js";

/**
 * A program that does something for each line that it reads, and answers with a line that says how many milliseconds that
 * took, or else why it failed.
 */
export class Remote implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #pending: { resolve: (time: number) => void; reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;

  constructor([program = "", ...args]: readonly string[]) {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    child.stdin.on("error", () => undefined);
    createInterface(child.stdout).on("line", (line) => this.#onLine(line));
    this.#ended = new Promise((resolve) => {
      const fail = (error: Error): void => {
        this.#failure = error;
        this.#pending?.reject(error);
        resolve();
      };
      child.on("error", fail);
      child.on("exit", (code, signal) => fail(new Error(`${program} ended with ${signal ?? code ?? "nothing"}`)));
    });
  }

  contender(name: string): Contender {
    return { name, run: () => this.ask() };
  }

  /** Has it done once. @returns milliseconds */
  ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      this.#pending = { resolve, reject };
      this.#child.stdin?.write("\n");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  #onLine(line: string): void {
    const time = Number(line);
    if (Number.isFinite(time)) this.#pending?.resolve(time);
    else this.#pending?.reject(new Error(line));
    this.#pending = null;
  }
}
