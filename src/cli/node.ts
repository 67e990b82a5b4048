/** The gio-sandbox command on Node. */
import { argv, exit } from "node:process";
import { main } from "./main.js";
import { nodeShell } from "./node-shell.js";

exit(await main(argv.slice(2), nodeShell()));
