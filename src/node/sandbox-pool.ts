import { statSync } from "node:fs";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { FindBackend } from "./backend.js";
import { OpenSandbox } from "./open-sandbox.js";

/** The most sandboxes that a pool keeps: each is two processes and half a megabyte or so. */
export const MOST_PREWARMED = 64;

/** Milliseconds that sandboxes are kept ready without one being used. */
const IDLE = 60_000;

/** Milliseconds after which a pool is filled up again: by then a short process has ended, which a fork of ours would hold up. */
const PAUSE = 10;

/** Sandboxes for one process each, made before they are needed. They do not keep the program alive. */
export class SandboxPool {
  readonly #backend: FindBackend;
  readonly #permissions: PermissionSet;
  readonly #size: number;
  readonly #ready: OpenSandbox[] = [];
  #isFilling = false;
  #isClosed = false;
  /** One was wanted, and none was ready, a moment ago. */
  #isDrained = false;
  #refillTimer: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  /** @param size how many to keep ready, at most `MOST_PREWARMED` */
  constructor(backend: FindBackend, permissions: PermissionSet, size: number) {
    this.#backend = backend;
    this.#permissions = permissions;
    this.#size = size;
    void this.#fill();
  }

  /** How many are ready. */
  get ready(): number {
    return this.#ready.length;
  }

  /** A sandbox that nothing has run in, for the caller to use; null if none is ready. */
  take(): OpenSandbox | null {
    let sandbox = this.#ready.shift() ?? null;
    while (sandbox !== null && !isStillRight(sandbox)) {
      sandbox.close();
      sandbox = this.#ready.shift() ?? null;
    }
    if (sandbox === null) this.#isDrained = true;
    this.#refillSoon();
    return sandbox;
  }

  /** Ends it, with all sandboxes that have not been taken. */
  close(): void {
    this.#isClosed = true;
    this.#giveBack();
  }

  /**
   * Where more are wanted than there are, to make some beforehand would only hold up those that are made at once: the pool is
   * filled up when nothing has been wanted for a while.
   */
  #refillSoon(): void {
    if (this.#refillTimer !== null) {
      if (!this.#isDrained) return;
      clearTimeout(this.#refillTimer);
    }
    this.#refillTimer = setTimeout(() => {
      this.#refillTimer = null;
      this.#isDrained = false;
      void this.#fill();
    }, PAUSE).unref();
  }

  async #fill(): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    this.#restartIdleTimer();
    try {
      while (this.#ready.length < this.#size && !this.#isClosed && !this.#isDrained) {
        this.#add(await OpenSandbox.open(this.#backend, this.#permissions, "single", null));
      }
    } catch {
      // the next launch tries for itself, and says why it fails
    } finally {
      this.#isFilling = false;
    }
  }

  #add(sandbox: OpenSandbox): void {
    if (this.#isClosed) {
      sandbox.close();
      return;
    }
    this.#ready.push(sandbox);
    void sandbox.ended.then(() => {
      const place = this.#ready.indexOf(sandbox);
      if (place >= 0) this.#ready.splice(place, 1);
    });
  }

  #restartIdleTimer(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#giveBack(), IDLE).unref();
  }

  #giveBack(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    for (const sandbox of this.#ready.splice(0)) sandbox.close();
  }
}

/** Whether the paths that were granted still lead to what was mounted when the sandbox was made. */
function isStillRight(sandbox: OpenSandbox): boolean {
  if (sandbox.isClosed) return false;
  return sandbox.mountsByName.every(({ source, device, inode }) => {
    const now = statSync(source, { bigint: true, throwIfNoEntry: false });
    return now?.dev === device && now.ino === inode;
  });
}
