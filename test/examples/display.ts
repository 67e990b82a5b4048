import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryDirectory } from "../node/gsubprocess/children.js";

const execute = promisify(execFile);

/** A place on the screen, in pixels from its upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Area extends Point {
  readonly width: number;
  readonly height: number;
}

/** A display of its own, with a mouse, a home directory, and neither a window manager nor a message bus. */
export class Display implements AsyncDisposable {
  readonly environment: NodeJS.ProcessEnv;
  readonly #end: () => Promise<void>;

  private constructor(environment: NodeJS.ProcessEnv, end: () => Promise<void>) {
    this.environment = environment;
    this.#end = end;
  }

  static async start(): Promise<Display> {
    // without -noreset it starts anew, and lets nobody in meanwhile, each time that the last client has gone
    const server = spawn("Xvfb", ["-displayfd", "3", "-noreset", "-screen", "0", "1000x700x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const ended = once(server, "exit");
    const number = (await Promise.race([once(server.stdio[3] as Readable, "data"), ended])) as [Buffer | number | null];
    if (!Buffer.isBuffer(number[0])) throw new Error("Xvfb does not run");
    const home = temporaryDirectory();
    const environment = {
      ...env,
      ...{ DISPLAY: `:${number[0].toString().trim()}`, GDK_BACKEND: "x11", GSK_RENDERER: "cairo", GTK_THEME: "Adwaita" },
      ...{ HOME: home.path, XDG_RUNTIME_DIR: home.path, LC_ALL: "C.UTF-8", GSETTINGS_BACKEND: "memory", GTK_A11Y: "none" },
      ...{ DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent", WAYLAND_DISPLAY: undefined, XAUTHORITY: undefined },
    };
    return new Display(environment, async () => {
      server.kill();
      await ended;
      home[Symbol.dispose]();
    });
  }

  /** The title of the one window that is there; null if there is none. */
  async title(): Promise<string | null> {
    const id = await this.#window();
    return id === null ? null : (await this.#run("xdotool", ["getwindowname", id])).trimEnd();
  }

  /** Where the one window is. */
  async window(): Promise<Area> {
    const geometry = await this.#run("xdotool", ["getwindowgeometry", "--shell", (await this.#window()) ?? ""]);
    const value = (name: string): number => Number(new RegExp(`^${name}=(\\d+)$`, "m").exec(geometry)?.[1]);
    return { x: value("X"), y: value("Y"), width: value("WIDTH"), height: value("HEIGHT") };
  }

  async click({ x, y }: Point): Promise<void> {
    // as slowly as a person: a window that is busy drawing can miss what is quicker
    const press = ["mousedown", "1", "sleep", "0.1", "mouseup", "1"];
    await this.#run("xdotool", ["mousemove", String(x), String(y), "sleep", "0.3", ...press]);
  }

  /** Marks what lies between two places, and gives it as text. */
  async select(from: Point, to: Point): Promise<string> {
    const move = ({ x, y }: Point): string[] => ["mousemove", String(x), String(y), "sleep", "0.1"];
    await this.#run("xdotool", [...move(from), "mousedown", "1", ...move(to), "mouseup", "1", "sleep", "0.1"]);
    return this.#run("gjs", ["-m", fileURLToPath(new URL("fixtures/print-selection.gjs.js", import.meta.url))]);
  }

  /** What is to be seen there, as bytes to compare. */
  async pixels(area: Area): Promise<Buffer> {
    const crop = `${area.width}x${area.height}+${area.x}+${area.y}`;
    const options = { env: this.environment, encoding: "buffer" } as const;
    const { stdout } = await execute("import", ["-silent", "-window", "root", "-crop", crop, "-depth", "8", "rgb:-"], options);
    return stdout;
  }

  /** Makes a picture of the window, as PNG. */
  async screenshot(path: string): Promise<void> {
    const { x, y, width, height } = await this.window();
    await this.#run("import", ["-silent", "-window", "root", "-crop", `${width}x${height}+${x}+${y}`, "+repage", path]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }

  async #window(): Promise<string | null> {
    try {
      const ids = await this.#run("xdotool", ["search", "--onlyvisible", "--name", "."]);
      return ids.trim().split("\n")[0] ?? null;
    } catch {
      // what xdotool says if there is none
      return null;
    }
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    const { stdout } = await execute(command, args, { env: this.environment, timeout: 20_000 });
    return stdout;
  }
}
