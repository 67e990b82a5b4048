import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { groupsModule } from "./groups.js";
import { tablesModule } from "./tables.js";

const folder = fileURLToPath(new URL("../../src/seccomp/", import.meta.url));
writeFileSync(`${folder}syscall-tables.ts`, tablesModule());
writeFileSync(`${folder}syscall-groups.ts`, groupsModule());
