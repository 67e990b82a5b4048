import { encodeHello, encodeMake } from "../init/encode.js";
import { HelloFlag } from "../init/protocol.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { PlacedMount } from "../plan/host-path.js";
import type { FindBackend, PreparedTemplate } from "./backend.js";
import { overSocketPair } from "./control-socket.js";
import { DescriptorScope } from "./descriptor-scope.js";
import type { GrantedPaths } from "./granted-paths.js";
import { openGrantedPaths } from "./granted-paths.js";
import type { InitSession } from "./init-session.js";
import { greet, sessionOf } from "./init-session.js";
import { MadeCarrier } from "./made-carrier.js";
import { OpenSandbox } from "./open-sandbox.js";
import { startCarrier } from "./start-carrier.js";

/**
 * A sandbox in which nothing runs: others are made after its example, each in namespaces of its own, in a fraction of the time
 * that bwrap takes. They end with it, so it stays until the last of them has ended. It does not keep the program alive.
 */
export class SandboxTemplate {
  readonly #session: InitSession;
  readonly #permissions: PermissionSet;
  readonly #granted: GrantedPaths;
  readonly #prepared: PreparedTemplate;
  readonly #kept = new Set<number>();
  #living = 0;
  #isReleased = false;

  /**
   * @returns null where such sandboxes are not made after an example
   * @throws GLibError as of a launch
   */
  static async open(findBackend: FindBackend, permissions: PermissionSet): Promise<SandboxTemplate | null> {
    using scope = new DescriptorScope();
    const granted = openGrantedPaths(permissions, scope);
    const backend = await findBackend();
    const prepared = (await backend.prepareTemplate?.(permissions, granted)) ?? null;
    if (prepared === null) return null;
    const session = sessionOf(startCarrier(prepared, null));
    await greet(session, prepared);
    await session.ready;
    session.unref();
    return new SandboxTemplate(session, permissions, granted, prepared);
  }

  private constructor(session: InitSession, permissions: PermissionSet, granted: GrantedPaths, prepared: PreparedTemplate) {
    this.#session = session;
    this.#permissions = permissions;
    this.#granted = granted;
    this.#prepared = prepared;
  }

  /** Whether there are no more to be had of it. */
  get isClosed(): boolean {
    return this.#isReleased || this.#session.isClosed || this.#session.loss !== null;
  }

  /** What was granted by its name, which may lead elsewhere by now. */
  get mountsByName(): readonly PlacedMount[] {
    return this.#granted.byName;
  }

  /**
   * Makes a sandbox for one process. It need not be waited for: what is started in it waits, or hears that it could not be set
   * up.
   */
  make(): OpenSandbox {
    const number = this.#session.newNumber();
    const session = sessionOf(overSocketPair((control) => this.#start(number, control))());
    session.write(encodeHello(HelloFlag.SINGLE_USE));
    this.#living++;
    void session.ended.then(() => this.#onEnd());
    return OpenSandbox.ofSession(session, "single", this.#permissions, this.#granted, this.#prepared);
  }

  /** Ends it as soon as no sandbox is left that was made after its example. */
  release(): void {
    this.#isReleased = true;
    if (this.#living === 0) this.#session.close();
  }

  #start(number: number, control: number): MadeCarrier {
    const carrier = new MadeCarrier({
      template: this.#session,
      number,
      keepAlive: (isKept) => this.#keepAlive(number, isKept),
    });
    this.#session.listen(number, carrier);
    this.#session.write(encodeMake({ ...this.#prepared.make, process: number }), [control]);
    return carrier;
  }

  /** Its end is told by the template: the program stays as long as one of them is waited for. */
  #keepAlive(number: number, isKept: boolean): void {
    if (isKept) this.#kept.add(number);
    else this.#kept.delete(number);
    if (this.#kept.size > 0) this.#session.ref();
    else this.#session.unref();
  }

  #onEnd(): void {
    this.#living--;
    if (this.#isReleased) this.release();
  }
}
