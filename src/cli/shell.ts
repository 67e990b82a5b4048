import type { Confinement } from "../confinement/confinement.js";
import type { PortalFacts } from "../confinement/portal-facts.js";
import type { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import type { Backend } from "../plan/choose-backend.js";
import type { Aspect } from "../plan/guarantees.js";
import type { SandboxReport } from "../plan/sandbox-report.js";
import type { Errno } from "../subprocess/errno.js";
import type { WaitStatus } from "../subprocess/wait-status.js";

/** What the gio-sandbox command needs of the runtime that it is on. What fails is a `GLibError` on each. */
export interface Shell {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether somebody sees standard output on a terminal. */
  readonly isTerminal: () => boolean;
  /** Of this package. */
  version(): string;
  print(text: string): void;
  printError(text: string): void;
  /** As `loadProfile()` of the API. */
  loadProfile(nameOrPath: string, base: SandboxPermissions): SandboxPermissions;
  /** What is at a path, a link not followed; null if nothing is known to be. */
  fileKind(path: string): "file" | "link" | "other" | null;
  /** Writes a new file, and gives it the name of the old one. @returns why it could not, or null */
  replaceFile(path: string, text: string): Errno | null;
  confinement(): Confinement;
  /** What the portal said of itself; null if it has not been asked, or did not answer. */
  portalFacts(): PortalFacts | null;
  /** The bubblewrap that launches use. @throws GLibError if there is none that works */
  findBubblewrap(): Promise<{ readonly path: string; readonly version: readonly number[] }>;
  launcher(settings: LaunchSettings): CommandLauncher;
  /**
   * Calls back for those of the signals that a program can hear of here, and keeps them from ending it.
   *
   * @returns what ends that
   */
  watchSignals(signals: readonly number[], react: (signal: number) => void): () => void;
}

/** What a launcher is told; standard streams are the command's own. */
export interface LaunchSettings {
  readonly permissions: SandboxPermissions;
  readonly backend: Backend;
  /** Milliseconds, or null for any time. */
  readonly timeout: number | null;
  /** The aspects that must be enforced; null for those of the API. */
  readonly required: readonly Aspect[] | null;
  /** Variables to set, in order; null: to unset. */
  readonly environment: readonly (readonly [name: string, value: string | null])[];
  /** The working directory inside the sandbox; null for `/`. */
  readonly directory: string | null;
  /** Descriptors that the child gets at their own numbers. */
  readonly descriptors: readonly number[];
}

export interface CommandLauncher {
  explain(): SandboxReport;
  /** @throws GLibError as `spawnvAsync()` of the API, CANCELLED after `cancel()` too */
  spawn(argv: readonly string[]): Promise<RunningCommand>;
  /** Cancels a launch that is under way. */
  cancel(): void;
  close(): void;
}

export interface RunningCommand {
  sendSignal(signal: number): void;
  /** @throws GLibError as `waitCheckAsync()` of the API */
  waitCheck(): Promise<void>;
  /** Once it has ended. */
  status(): WaitStatus;
  /** Ends what is left of it. */
  dispose(): Promise<void>;
}
