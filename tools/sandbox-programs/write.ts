import { writeFileSync } from "node:fs";
import { fileURLToPath, URL } from "node:url";
import { sandboxProgramsModule } from "./module.js";

writeFileSync(fileURLToPath(new URL("../../src/seccomp/sandbox-programs.ts", import.meta.url)), sandboxProgramsModule());
