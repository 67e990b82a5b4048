/** Where an X server is, as `DISPLAY` says it (X(7), “Display names”). */
export interface XDisplay {
  /** Null: a server on this machine, reached through a socket. */
  readonly host: string | null;
  /** The number of the display, in decimal. */
  readonly number: string;
}

/** @returns null for what names no display */
export function parseDisplay(text: string): XDisplay | null {
  const match = /^(?:(?<protocol>[a-z0-9]+)\/)?(?<host>[^:/]*|\[[0-9A-Fa-f:.]+\]):(?<number>\d{1,5})(?:\.\d{1,5})?$/.exec(text);
  if (match?.groups === undefined) return null;
  const { protocol = "", host = "", number = "" } = match.groups;
  const isLocal = host === "" || host === "unix" || protocol === "unix" || protocol === "local";
  return { host: isLocal ? null : host, number: String(Number(number)) };
}

/** The socket of a server on this machine; it listens on the abstract name of the same spelling as well. */
export function displaySocket({ number }: XDisplay): string {
  return `/tmp/.X11-unix/X${number}`;
}
