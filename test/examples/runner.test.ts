/** The example applications with a window, driven with the mouse. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { requireNodeGtk } from "../node-gtk/missing.js";
import type { Area, Point } from "./display.js";
import { Display } from "./display.js";
import { requireDisplay } from "./missing.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where things are in the window. */
const runOrStop: Point = { x: 40, y: 27 };
const beginOfOutput: Point = { x: 28, y: 122 };
const endOfOutput: Point = { x: 680, y: 425 };
const clock: Area = { x: 540, y: 15, width: 50, height: 25 };

class Runner implements AsyncDisposable {
  readonly display: Display;
  readonly #application: ChildProcess;
  #stderr = "";

  private constructor(display: Display, application: ChildProcess) {
    this.display = display;
    this.#application = application;
    application.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
  }

  /** @param command what the window's command is when it opens */
  static async start(program: readonly string[], command: string): Promise<Runner> {
    const display = await Display.start();
    const [file = "", ...args] = program;
    const application = spawn(file, [...args, command], { env: display.environment, stdio: ["ignore", "ignore", "pipe"] });
    const runner = new Runner(display, application);
    try {
      await runner.titleIs(/^Runner$/);
      return runner;
    } catch (error) {
      await runner[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits for a title. */
  async titleIs(expected: RegExp): Promise<string> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const title = await this.display.title();
      if (title !== null && expected.test(title)) return title;
      assert.equal(this.#application.exitCode, null, this.#stderr);
      assert.ok(Date.now() < deadline, `${title ?? "no window"}, but expected ${String(expected)}\n${this.#stderr}`);
    }
  }

  /** How many times the clock of the window changed in this time. */
  async ticks(milliseconds: number): Promise<number> {
    const seen = new Set<string>();
    for (const end = Date.now() + milliseconds; Date.now() < end; ) seen.add((await this.display.pixels(clock)).toString("latin1"));
    return seen.size - 1;
  }

  /** The application's processes, all that they started, and all that these did. */
  processes(): string[] {
    return descendants(String(this.#application.pid));
  }

  /** Closes the window with its button, and waits for the end of the program. */
  async close(): Promise<number | null> {
    const exit = once(this.#application, "exit");
    const { width } = await this.display.window();
    await this.display.click({ x: width - 27, y: 27 });
    await exit;
    assert.doesNotMatch(this.#stderr, /CRITICAL|Error|gio-sandbox/);
    return this.#application.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#application.exitCode === null && this.#application.signalCode === null) {
      const exit = once(this.#application, "exit");
      this.#application.kill("SIGKILL");
      await exit;
    }
    await this.display[Symbol.asyncDispose]();
  }
}

function descendants(pid: string): string[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").split(" ").filter(Boolean),
  );
  return [pid, ...children.flatMap(descendants)];
}

async function untilGone(processes: readonly string[]): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (let left = processes; left.length > 0; left = left.filter((pid) => existsSync(`/proc/${pid}`))) {
    if (Date.now() > deadline) assert.fail(`still there: ${left.map(commandLine).join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Empty if the process is gone, or a zombie. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

interface Application {
  readonly name: string;
  readonly requirement: (this: Mocha.Context) => void;
  /** @returns the command that starts it */
  readonly prepare: () => readonly string[];
}

const applications: readonly Application[] = [
  {
    name: "node-gtk",
    requirement: requireNodeGtk,
    prepare: () => {
      // where node-gtk is found
      const place = join(root, "build/node-gtk/runner.mjs");
      copyFileSync(join(root, "examples/runner/node-gtk.mjs"), place);
      return [execPath, place];
    },
  },
  {
    name: "gjs",
    // what shows the window needs GJS too
    requirement: () => undefined,
    prepare: () => ["gjs", "-m", join(root, "examples/runner/gjs.js")],
  },
];

for (const { name, requirement, prepare } of applications) {
  describe(`the example with a window, on ${name}`, function () {
    this.timeout(90_000);
    let program: readonly string[] = [];
    before(requireDisplay);
    before(requirement);
    before(() => {
      program = prepare();
    });

    it("shows output as it comes, ends the command at a click, and runs it again", async () => {
      await using runner = await Runner.start(program, "for n in 1 2 3; do echo line $n; sleep 0.2; done; sleep 1000");
      await runner.display.click(runOrStop);
      const title = await runner.titleIs(/^Running as process \d+$/);
      const [pid = ""] = /\d+/.exec(title) ?? [];
      assert.match(commandLine(pid), /^sh -c for n in 1 2 3/);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal(await runner.display.select(beginOfOutput, endOfOutput), "line 1\nline 2\nline 3\n\n");
      assert.equal(await runner.display.title(), title);
      mkdirSync(join(root, "build/screenshots"), { recursive: true });
      const screenshot = join(root, `build/screenshots/runner-${name}.png`);
      await runner.display.screenshot(screenshot);
      assert.ok(statSync(screenshot).size > 5000);

      await runner.display.click(runOrStop);
      await runner.titleIs(/^Stopped$/);
      await untilGone([pid]);
      await runner.display.click(runOrStop);
      const again = await runner.titleIs(/^Running as process \d+$/);
      assert.notEqual(again, title);
      assert.equal(await runner.close(), 0);
    });

    it("stays responsive while a command writes as fast as it can", async () => {
      await using runner = await Runner.start(program, "yes");
      assert.ok((await runner.ticks(1000)) >= 5, "before");
      await runner.display.click(runOrStop);
      await runner.titleIs(/^Running/);
      const ticks = await runner.ticks(3000);
      assert.ok(ticks >= 10, `${ticks} ticks in 3 s, of 30`);
      await runner.display.click(runOrStop);
      await runner.titleIs(/^Stopped$/);
      assert.equal(await runner.close(), 0);
    });

    it("stays responsive while a command writes a line without an end, and bytes that are no text", async () => {
      await using runner = await Runner.start(program, "cat /dev/urandom | tr -d '\\n'");
      await runner.display.click(runOrStop);
      await runner.titleIs(/^Running/);
      const ticks = await runner.ticks(3000);
      assert.ok(ticks >= 10, `${ticks} ticks in 3 s, of 30`);
      await runner.display.click(runOrStop);
      await runner.titleIs(/^Stopped$/);
      assert.equal(await runner.close(), 0);
    });

    it("says how a command ended", async () => {
      await using runner = await Runner.start(program, "exit 3");
      await runner.display.click(runOrStop);
      await runner.titleIs(/^Exited with 3$/);
      assert.equal(await runner.close(), 0);
    });

    it("leaves no process when it is closed while a command runs", async () => {
      await using runner = await Runner.start(program, "sleep 1000 & setsid sleep 1001 & sleep 1002");
      await runner.display.click(runOrStop);
      await runner.titleIs(/^Running/);
      const processes = runner.processes();
      assert.ok(processes.length >= 6, processes.map(commandLine).join("\n"));
      assert.equal(await runner.close(), 0);
      await untilGone(processes);
    });
  });
}
