export type { ResourceUsage } from "../init/decode.js";
export { SandboxPermissions } from "../permissions/sandbox-permissions.js";
export { SubprocessFlags } from "../subprocess/flags.js";
export { ErrorDomain, GLibError, IOErrorEnum, SandboxError, SpawnError } from "../subprocess/glib-error.js";
export type { Cancellable, GioCancellable } from "./cancellable.js";
export type { LauncherProperties } from "./launcher.js";
export { SandboxSubprocessLauncher } from "./launcher.js";
export type { SubprocessProperties } from "./subprocess.js";
export { SandboxSubprocess } from "./subprocess.js";
