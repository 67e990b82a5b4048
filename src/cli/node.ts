/** The gio-sandbox command on Node, which tools/build makes one file of: no await, which CommonJS does not have here. */
import { argv, exit } from "node:process";
import { main } from "./main.js";
import { nodeShell } from "./node-shell.js";

void main(argv.slice(2), nodeShell()).then(exit);
