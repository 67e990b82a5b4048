import Gio from "gi://Gio?version=2.0";
import { programArgs } from "system";
import { SandboxPermissions, SandboxSubprocessLauncher } from "../dist/gjs/gio-sandbox.js";

const input = Gio.File.new_for_commandline_arg(programArgs[0]).get_path();
const output = Gio.File.new_for_commandline_arg(programArgs[1]).get_path();
const launcher = new SandboxSubprocessLauncher({
  permissions: new SandboxPermissions().add_filesystem(`${input}:ro`),
  timeout: 10_000,
});
launcher.set_stdout_file_path(output);

// The program can read this one file, and write to its standard output. That is all.
const child = await launcher.spawnv_async(["gdk-pixbuf-thumbnailer", "-s", "256", input, "/dev/stdout"], null);
await child.wait_check_async(null);
