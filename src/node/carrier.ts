import type { ControlSocket } from "./control-socket.js";

/** What brought gio-sandbox-init into a sandbox, and holds that sandbox: bwrap, or a portal. */
export interface Carrier {
  /** The pids on the host, in decimal, of what may be init; none if it never ran, or cannot be seen from here. */
  findInits(): readonly string[];
  /** Settles, without an error, when nothing of the sandbox is left. */
  readonly ended: Promise<void>;
  /** Init has spoken: the sandbox is set up. */
  onReady(): void;
  /**
   * Why init was never heard of, or is not any more. Asked when the carrier and the control socket have ended.
   *
   * @param wasReady whether init has spoken
   */
  loss(wasReady: boolean): Error;
  /** Whether what carries the sandbox has said that it could not be set up, asked as `loss()` is. Absent: no. */
  hasComplained?(): boolean;
  /** Kills what has not ended by itself although init's control socket was closed a while ago. */
  kill(): void;
  /** Lets the program end although the sandbox has not. */
  unref(): void;
  /** Undoes `unref()`. */
  ref(): void;
}

/** A carrier, and our end of the control socket of the init that it brings. */
export interface StartedCarrier {
  readonly carrier: Carrier;
  readonly control: ControlSocket;
}

/**
 * Starts a carrier.
 *
 * @throws GLibError if it could not even be tried
 */
export type StartCarrier = () => StartedCarrier;
