import { describeConfinement } from "../confinement/describe.js";
import { SandboxPermissions } from "../permissions/sandbox-permissions.js";
import type { ChosenBackend } from "../plan/choose-backend.js";
import { Backend } from "../plan/choose-backend.js";
import type { TextStyle } from "../plan/report-text.js";
import { GLibError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { UsageError } from "./run-options.js";
import type { Shell } from "./shell.js";
import { styleFor } from "./text-style.js";

/** What came of trying one backend. */
interface BackendCheck {
  readonly backend: ChosenBackend;
  readonly works: boolean;
  /** What was found, or why it does not work and what to do about it: whole sentences. */
  readonly details: string;
}

/**
 * Tries the backends, and prints what came of it.
 *
 * @returns the exit code
 */
export async function check(words: readonly string[], shell: Shell): Promise<number> {
  const [option, ...more] = words;
  if (more.length > 0 || (option !== undefined && option !== "--json")) {
    throw new UsageError(`“${printable(words.join(" "), 80)}” is no option of check`);
  }
  const checks: BackendCheck[] = [];
  for (const backend of [Backend.BUBBLEWRAP, Backend.FLATPAK_PORTAL, Backend.LANDLOCK]) checks.push(await tryBackend(backend, shell));
  const canSandbox = checks.some(({ works }) => works);
  // the portal was asked in the course of that
  const where = describeConfinement(shell.confinement(), shell.portalFacts());
  const result = { canSandbox, confinement: { kind: shell.confinement().kind, description: where }, backends: checks };
  shell.print(
    option === "--json" ? `${JSON.stringify(result, null, 2)}\n` : checkText(where, checks, canSandbox, styleFor(shell)),
  );
  return canSandbox ? 0 : 1;
}

/** A program is run through it as any other is; what is said of bubblewrap is what was found before. */
async function tryBackend(backend: ChosenBackend, shell: Shell): Promise<BackendCheck> {
  const launcher = shell.launcher({
    ...{ permissions: new SandboxPermissions(), backend, timeout: PATIENCE, required: null },
    ...{ environment: [], directory: null, descriptors: [] },
  });
  try {
    const child = await launcher.spawn(["true"]);
    try {
      await child.waitCheck();
    } finally {
      await child.dispose();
    }
    return { backend, works: true, details: await foundText(backend, shell) };
  } catch (error) {
    if (!(error instanceof GLibError)) throw error;
    return { backend, works: false, details: error.message.replace(/^No sandbox is available[.:] (?:Bubblewrap: )?/, "") };
  } finally {
    launcher.close();
  }
}

async function foundText(backend: ChosenBackend, shell: Shell): Promise<string> {
  if (backend !== Backend.BUBBLEWRAP) return "A program was run in it.";
  const { path, version } = await shell.findBubblewrap();
  return `${path}, version ${version.join(".")}.`;
}

const PATIENCE = 30_000;

function checkText(where: string, checks: readonly BackendCheck[], canSandbox: boolean, style: TextStyle): string {
  const lines = checks.map(({ backend, works, details }) => {
    const mark = works ? style("denied", "works") : style("faint", "no   ");
    return `${style("heading", backend.padEnd(16))}${mark}  ${printable(details, 2000)}\n`;
  });
  const verdict = canSandbox
    ? "gio-sandbox can make sandboxes here.\n"
    : `${style("warning", "gio-sandbox can make no sandbox here.")} It runs nothing without one.\n`;
  return `${printable(where, 1000)}\n\n${lines.join("")}\n${verdict}`;
}
