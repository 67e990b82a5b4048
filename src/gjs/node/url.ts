import GLib from "gi://GLib?version=2.0";
import type { URL } from "../url.js";

/* Stands for node:url. */

export function fileURLToPath(url: URL | string): string {
  const [path] = GLib.filename_from_uri(typeof url === "string" ? url : url.href);
  return path;
}
