// Runs a bundle to its end: gjs -m test/gjs/run-bundle.js FILE. What it exports as `done` is waited for.
import Gio from "gi://Gio?version=2.0";
import { programArgs } from "system";

const { done } = await import(Gio.File.new_for_commandline_arg(programArgs[0]).get_uri());
await done;
