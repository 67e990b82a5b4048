import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** An Xvfb of a test's own, which lets in who has its cookie. */
export interface XServer extends AsyncDisposable {
  /** `:7` */
  readonly display: string;
  /** The path of the user's authority file, which has a cookie for another display too. */
  readonly authority: string;
  /** The titles of all windows. */
  titles(): string[];
}

const COOKIE = "0123456789abcdef0123456789abcdef";

export async function startXServer(): Promise<XServer> {
  const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-x-"));
  const authority = join(directory, "authority");
  const serverAuthority = join(directory, "server-authority");
  addCookie(serverAuthority, ":0");
  const server = spawn("Xvfb", ["-displayfd", "3", "-auth", serverAuthority, "-screen", "0", "800x600x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const ended = once(server, "exit");
  const [number] = (await once(server.stdio[3] as Readable, "data")) as [Buffer];
  const display = `:${number.toString().trim()}`;
  addCookie(authority, display);
  addCookie(authority, ":77");
  return {
    display,
    authority,
    titles() {
      const env = { ...process.env, DISPLAY: display, XAUTHORITY: authority };
      const { stdout } = spawnSync("xwininfo", ["-root", "-tree"], { env, encoding: "utf8" });
      return [...stdout.matchAll(/0x[0-9a-f]+ "([^"]*)"/g)].map((match) => match[1] ?? "");
    },
    async [Symbol.asyncDispose]() {
      server.kill();
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

function addCookie(file: string, display: string): void {
  const { status, stderr } = spawnSync("xauth", ["-q", "-f", file, "add", display, ".", COOKIE], { encoding: "utf8" });
  if (status !== 0) throw new Error(`xauth: ${stderr}`);
}
