import assert from "node:assert/strict";
import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { PrivateBus } from "./bus/private-bus.js";

export interface MockConfiguration {
  readonly version: number;
  readonly supports: number;
  /** What it does wrong: see `fixtures/mock-portal.js`. */
  readonly misdeed?: string;
}

/** A call that the mock got. */
export interface MockCall {
  readonly call: string;
  readonly [name: string]: unknown;
}

/** A portal on a bus that does as it is told, until it is disposed of. */
export class MockPortal implements AsyncDisposable {
  readonly calls: MockCall[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<unknown>;

  static async start(bus: PrivateBus, configuration: MockConfiguration): Promise<MockPortal> {
    const portal = new MockPortal(bus, configuration);
    assert.deepEqual(await portal.#ready, "ready");
    return portal;
  }

  readonly #ready: Promise<unknown>;

  private constructor(bus: PrivateBus, configuration: MockConfiguration) {
    const script = join(import.meta.dirname, "fixtures/mock-portal.js");
    this.#process = spawn("gjs", ["-m", script, JSON.stringify(configuration)], {
      env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus.address },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process.stdin.on("error", () => undefined);
    this.#ended = once(this.#process, "exit");
    const lines = createInterface(this.#process.stdout);
    this.#ready = new Promise((resolve) => {
      lines.on("line", (line) => {
        const said: unknown = JSON.parse(line);
        if (typeof said === "string") resolve(said);
        else this.calls.push(said as MockCall);
      });
      lines.on("close", () => resolve("it ended"));
    });
  }

  /** Has one with the misdeed “vanish-later” end. */
  async vanish(): Promise<void> {
    this.#process.stdin.write("\n");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }
}
