import Gio from "gi://Gio?version=2.0";
import { machine } from "./machine.js";

/** Where gio-sandbox-calls is. */
export function servicePath(): string {
  return (path ??= findPath());
}

let path: string | null = null;

function findPath(): string {
  const directory = Gio.File.new_for_uri(import.meta.url).get_parent();
  return directory?.resolve_relative_path(`../../dist/native/${machine() ?? "none"}/gio-sandbox-calls`).get_path() ?? "";
}
