import { statSync } from "node:fs";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { PlacedMount } from "../plan/host-path.js";
import type { FindBackend } from "./backend.js";
import { OpenSandbox } from "./open-sandbox.js";
import { SandboxTemplate } from "./sandbox-template.js";

/** Milliseconds that sandboxes are kept ready without one being used. */
const IDLE = 60_000;

/** Milliseconds after which a pool is filled up again: by then a short process has ended, which that would hold up. */
const PAUSE = 10;

/** As `new SandboxPool()`: a function, so that who never prewarms need not have this module. */
export function sandboxPool(backend: FindBackend, permissions: PermissionSet, size: number): SandboxPool {
  return new SandboxPool(backend, permissions, size);
}

/**
 * Sandboxes for one process each, made before they are needed. They do not keep the program alive.
 *
 * They are made after the example of a template where the backend has such a thing, and so are those that are wanted when
 * none is ready; else the backend makes each by itself.
 */
export class SandboxPool {
  readonly #backend: FindBackend;
  readonly #permissions: PermissionSet;
  readonly #size: number;
  readonly #idle: number;
  readonly #ready: OpenSandbox[] = [];
  /** One that sandboxes have been made after; null before that, where there is none, and after it has ended. */
  #template: SandboxTemplate | null = null;
  /** No sandbox like these can be made after an example: the kernel may not let bwrap's children do so, where it lets bwrap. */
  #isWithoutTemplate = false;
  #isFilling = false;
  #isClosed = false;
  /** One was wanted, and none was ready, a moment ago. */
  #isDrained = false;
  #refillTimer: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  /**
   * @param size how many to keep ready
   * @param idle milliseconds for which they are, without one being used
   */
  constructor(backend: FindBackend, permissions: PermissionSet, size: number, idle = IDLE) {
    this.#backend = backend;
    this.#permissions = permissions;
    this.#size = size;
    this.#idle = idle;
    void this.#fill();
  }

  /** How many are ready. */
  get ready(): number {
    return this.#ready.length;
  }

  /**
   * A sandbox that nothing has run in, for the caller to use. If none is ready, one that is being made after the template's
   * example; null if there is no such thing.
   */
  take(): OpenSandbox | null {
    let sandbox = this.#ready.shift() ?? null;
    while (sandbox !== null && !isStillRight(sandbox)) {
      sandbox.close();
      sandbox = this.#ready.shift() ?? null;
    }
    if (sandbox === null) this.#isDrained = true;
    this.#refillSoon();
    return sandbox ?? this.#usableTemplate()?.make() ?? null;
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
      while (this.#ready.length < this.#size && !this.#isClosed && !this.#isDrained) this.#add(await this.#make());
    } catch {
      // the next launch tries for itself, and says why it fails
    } finally {
      this.#isFilling = false;
    }
  }

  async #make(): Promise<OpenSandbox> {
    const template = this.#usableTemplate();
    if (template !== null) return madeAfter(template);
    const first = this.#isWithoutTemplate ? null : await this.#makeFirst();
    return first ?? OpenSandbox.open(this.#backend, this.#permissions, "single", null);
  }

  /** Opens a template, and makes a sandbox after its example; null if that cannot be done. */
  async #makeFirst(): Promise<OpenSandbox | null> {
    let template: SandboxTemplate | null = null;
    try {
      template = await SandboxTemplate.open(this.#backend, this.#permissions);
      const sandbox = template === null ? null : await madeAfter(template);
      this.#isWithoutTemplate = sandbox === null;
      if (this.#isClosed) template?.release();
      else this.#template = template;
      return sandbox;
    } catch {
      template?.release();
      this.#isWithoutTemplate = true;
      return null;
    }
  }

  /** The template, if what is made after its example is what the permissions say. */
  #usableTemplate(): SandboxTemplate | null {
    if (this.#template !== null && !isStillRight(this.#template)) this.#releaseTemplate();
    return this.#template;
  }

  #releaseTemplate(): void {
    this.#template?.release();
    this.#template = null;
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
    this.#idleTimer = setTimeout(() => this.#giveBack(), this.#idle).unref();
  }

  #giveBack(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#releaseTemplate();
    for (const sandbox of this.#ready.splice(0)) sandbox.close();
  }
}

async function madeAfter(template: SandboxTemplate): Promise<OpenSandbox> {
  const sandbox = template.make();
  await sandbox.ready;
  sandbox.unref();
  return sandbox;
}

/** Whether the paths that were granted still lead to what was mounted when it was made. */
function isStillRight(made: { readonly isClosed: boolean; readonly mountsByName: readonly PlacedMount[] }): boolean {
  if (made.isClosed) return false;
  return made.mountsByName.every(({ source, device, inode }) => {
    const now = statSync(source, { bigint: true, throwIfNoEntry: false });
    return now?.dev === device && now.ino === inode;
  });
}
