import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";

/** The bwrap of this machine, as far as planning depends on it. */
export interface BubblewrapFacts {
  readonly path: string;
  /** `[0, 8, 0]` */
  readonly version: readonly number[];
  /** The options that its help names, dashes included. */
  readonly options: ReadonlySet<string>;
}

/** What a shell found out about bwrap before it was ever run for real. */
export interface BubblewrapFindings {
  /** Where it is, or null if it is nowhere in the search path. */
  readonly path: string | null;
  /** The permission bits of the file. */
  readonly mode: number;
  /** What `bwrap --version` and `bwrap --help` printed. */
  readonly versionText: string;
  readonly helpText: string;
}

/** The oldest version that has `--disable-userns`. */
const OLDEST: readonly number[] = [0, 8, 0];

const S_ISUID = 0o4000;

/**
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE for a bwrap that is missing, setuid or too old
 */
export function bubblewrapFacts(findings: BubblewrapFindings): BubblewrapFacts {
  const { path, mode, versionText, helpText } = findings;
  if (path === null) {
    throw unavailable("bwrap was not found in /usr/bin or in PATH", installHint);
  }
  if ((mode & S_ISUID) !== 0) {
    throw unavailable(
      `${path} is setuid root, and refuses to forbid nested user namespaces that way`,
      "If this kernel lets ordinary users create user namespaces, remove the bit: chmod u-s bwrap.",
    );
  }
  const version = parseVersion(versionText);
  if (version === null) {
    throw unavailable(`${path} does not say its version, but “${printable(versionText.trim(), 80)}”`, installHint);
  }
  if (isOlder(version, OLDEST)) {
    throw unavailable(`${path} is version ${version.join(".")}, and 0.8.0 or newer is needed`, installHint);
  }
  return { path, version, options: parseOptions(helpText) };
}

const installHint = "Install or update the package bubblewrap.";

function unavailable(what: string, hint: string): GLibError {
  return sandboxError("NOT_AVAILABLE", `No sandbox is available. Bubblewrap: ${what}. ${hint}`);
}

function parseVersion(text: string): readonly number[] | null {
  const match = /^bubblewrap (\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(text);
  return match === null ? null : [match[1], match[2], match[3] ?? "0"].map(Number);
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const differing = version.findIndex((number, index) => number !== than[index]);
  return differing >= 0 && (version[differing] ?? 0) < (than[differing] ?? 0);
}

function parseOptions(helpText: string): ReadonlySet<string> {
  return new Set([...helpText.matchAll(/^\s+(--[a-z0-9-]+)/gm)].map((match) => match[1] ?? ""));
}
