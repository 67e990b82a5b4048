import GLib from "gi://GLib?version=2.0";

/** Stands for the language's URL: one that is relative to a module. */
export class URL {
  readonly href: string;

  constructor(url: string, base: string) {
    this.href = GLib.Uri.resolve_relative(base, url, GLib.UriFlags.NONE);
  }
}
