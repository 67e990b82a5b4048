import { createWriteStream, realpathSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "gio-sandbox";

const input = realpathSync(process.argv[2]);
const launcher = new SandboxSubprocessLauncher({
  flags: SubprocessFlags.STDOUT_PIPE,
  permissions: new SandboxPermissions().addFilesystem(`${input}:ro`),
  timeout: 10_000,
});

// The program can read this one file, and write to its standard output. That is all.
const child = await launcher.spawnvAsync(["gdk-pixbuf-thumbnailer", "-s", "256", input, "/dev/stdout"]);
await Promise.all([pipeline(child.getStdoutPipe(), createWriteStream(process.argv[3])), child.waitCheckAsync()]);
