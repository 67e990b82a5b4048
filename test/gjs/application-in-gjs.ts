/** What an application for GJS in TypeScript may write, with @girs' types and without Node's. */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import type { Sandbox, SandboxReport, SandboxSubprocess } from "../../dist/gjs/gio-sandbox.js";
import { Backend, load_profile, SandboxError, SandboxPermissions, SandboxSubprocessLauncher } from "../../dist/gjs/gio-sandbox.js";

const permissions: SandboxPermissions = new SandboxPermissions().share("network").add_filesystem("/srv:ro").copy();
const launcher = new SandboxSubprocessLauncher({ flags: Gio.SubprocessFlags.STDOUT_PIPE, permissions, timeout: 1000 });
launcher.permissions = load_profile("strict");
launcher.backend = Backend.BUBBLEWRAP;
launcher.set_environ(null);
const isSame: boolean = launcher.permissions.equals(permissions);

const child: SandboxSubprocess = launcher.spawnv(["true"]);
const [, text] = child.communicate_utf8(null, null);
const length: number = text?.length ?? 0;
const [bytes] = await child.communicate_async(new GLib.Bytes(new Uint8Array(length)), null);
const size: number = bytes?.get_size() ?? 0;
child.wait_async(null, (source, result) => source.wait_finish(result));
const sandbox: Sandbox = await launcher.open_sandbox_async("kept", null);
launcher.sandbox = sandbox;
const report: SandboxReport = launcher.explain();
report.check_required();

try {
  launcher.spawnv([]);
} catch (error) {
  if (error instanceof GLib.Error && error.matches(SandboxError, SandboxError.NOT_AVAILABLE)) throw error;
}

// @ts-expect-error: a socket has a name of Flatpak's
permissions.add_socket("telephone");
// @ts-expect-error: a command is a list
launcher.spawnv("true");

export { isSame, size };
