export { Backend } from "../plan/choose-backend.js";
export { Aspect, Mechanism } from "../plan/guarantees.js";
export { SandboxError } from "./api/glib-error.js";
export type { ResourceUsage } from "./api/resource-usage.js";
export { load_profile, SandboxPermissions } from "./api/sandbox-permissions.js";
export { SandboxReport } from "./api/sandbox-report.js";
export { SandboxSubprocess } from "./api/sandbox-subprocess.js";
export { SandboxSubprocessLauncher } from "./api/sandbox-subprocess-launcher.js";
export { Sandbox } from "./api/sandbox.js";
