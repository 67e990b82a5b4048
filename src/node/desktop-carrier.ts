import type { Carrier } from "./carrier.js";
import type { OpenedDesktop } from "./desktop.js";

/** A sandbox with something of the desktop in it: what that needs on the host ends when the sandbox has ended. */
export class DesktopCarrier implements Carrier {
  readonly ended: Promise<void>;
  readonly #sandbox: Carrier;
  readonly #proxy: OpenedDesktop["proxy"];

  constructor(sandbox: Carrier, { proxy, closeDescriptors }: OpenedDesktop) {
    this.#sandbox = sandbox;
    this.#proxy = proxy;
    closeDescriptors();
    this.ended = sandbox.ended.then(async () => {
      proxy?.close();
      await proxy?.ended;
    });
  }

  findInits(): readonly string[] {
    return this.#sandbox.findInits();
  }

  onReady(): void {
    this.#sandbox.onReady();
    if (this.#proxy === null) return;
    this.#proxy.hide();
    const [pid] = this.findInits();
    if (pid !== undefined) this.#proxy.publishPid(Number(pid));
  }

  loss(wasReady: boolean): Error {
    return this.#sandbox.loss(wasReady);
  }

  hasComplained(): boolean {
    return this.#sandbox.hasComplained?.() === true;
  }

  kill(): void {
    this.#sandbox.kill();
  }

  unref(): void {
    this.#sandbox.unref();
    this.#proxy?.unref();
  }

  ref(): void {
    this.#sandbox.ref();
    this.#proxy?.ref();
  }
}
