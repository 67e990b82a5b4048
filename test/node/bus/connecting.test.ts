import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { percentEncoded } from "../../../src/node/bus/address.js";
import { connectToBus } from "../../../src/node/bus/bus.js";
import { GLibError, IOErrorEnum } from "../../../src/subprocess/glib-error.js";
import type { PrivateBus } from "./private-bus.js";
import { startPrivateBus } from "./private-bus.js";

const run = promisify(execFile);

function isIOError(code: keyof typeof IOErrorEnum, words = /./): (error: unknown) => boolean {
  return (error) => error instanceof GLibError && error.matches("g-io-error-quark", IOErrorEnum[code])
    && words.test(error.message);
}

async function nameOn(address: string): Promise<string> {
  using bus = await connectToBus(address);
  return bus.name;
}

describe("connecting to a bus", () => {
  let bus: PrivateBus;
  before(async () => {
    bus = await startPrivateBus();
  });
  after(async () => {
    await bus[Symbol.asyncDispose]();
  });

  it("gives us a unique name and the server's id", async () => {
    using client = await connectToBus(bus.address);
    assert.match(client.name, /^:1\.\d+$/);
    assert.equal(client.guid, /guid=([0-9a-f]{32})/.exec(bus.address)?.[1]);
  });

  it("works by an abstract name", async () => {
    await using other = await startPrivateBus(`unix:abstract=gio-sandbox-test-${process.pid}`);
    assert.match(other.address, /abstract=/);
    assert.match(await nameOn(other.address), /^:1\./);
  });

  it("works through a path with spaces, commas and other letters", async () => {
    const strange = join(bus.directory, "a b,é;=%");
    mkdirSync(strange);
    symlinkSync(join(bus.directory, "bus"), join(strange, "bus:1"));
    assert.match(await nameOn(`unix:path=${percentEncoded(join(strange, "bus:1"))}`), /^:1\./);
  });

  it("finds the session bus by its variable, else in the runtime directory", async () => {
    const { DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: directory } = process.env;
    try {
      process.env["DBUS_SESSION_BUS_ADDRESS"] = bus.address;
      process.env["XDG_RUNTIME_DIR"] = "/nowhere";
      assert.match(await nameOn("session"), /^:1\./);
      delete process.env["DBUS_SESSION_BUS_ADDRESS"];
      process.env["XDG_RUNTIME_DIR"] = bus.directory;
      assert.match(await nameOn("session"), /^:1\./);
    } finally {
      restore("DBUS_SESSION_BUS_ADDRESS", address);
      restore("XDG_RUNTIME_DIR", directory);
    }
  });

  it("goes on to the next address when one is dead", async () => {
    const gone = join(bus.directory, "gone");
    const closed = join(bus.directory, "closed");
    const server = createServer();
    server.listen(closed);
    await once(server, "listening");
    symlinkSync(closed, join(bus.directory, "closed-link"));
    server.close();
    writeFileSync(closed, "");
    const list = ["tcp:host=localhost", `unix:path=${gone}`, `unix:path=${closed}`, bus.address].join(";");
    assert.match(await nameOn(list), /^:1\./);
  });

  it("goes on to the next address when a server hangs up on us", async () => {
    const path = join(bus.directory, "rude");
    await using server = createServer((socket) => socket.destroy()).listen(path);
    await once(server, "listening");
    assert.match(await nameOn(`unix:path=${path};${bus.address}`), /^:1\./);
  });

  it("says what became of each address when none works", async () => {
    const file = join(bus.directory, "file");
    writeFileSync(file, "");
    await assert.rejects(
      connectToBus(`unix:runtime=yes;unix:path=/nowhere/bus;unix:path=${file}`),
      isIOError(
        "CONNECTION_REFUSED",
        /unix:runtime=yes \(runtime is for servers.*\); unix:path=\/nowhere\/bus \(No such file.*\); .*refused/,
      ),
    );
    await assert.rejects(connectToBus("unix:path=/nowhere/bus"), isIOError("NOT_FOUND"));
  });

  it("refuses a server with another id than the address says", async () => {
    const other = bus.address.replace(/guid=.*/, `guid=${"0".repeat(32)}`);
    await assert.rejects(connectToBus(other), isIOError("INVALID_DATA", /not 0{32} as its address says/));
  });

  const strangers: readonly [string, string, keyof typeof IOErrorEnum, RegExp][] = [
    ["is no D-Bus server", "HTTP/1.1 400 Bad Request\r\n\r\n", "INVALID_DATA", /answered “HTTP/],
    ["refuses our identity", "REJECTED EXTERNAL\r\n", "PERMISSION_DENIED", /refused our identity/],
    ["never ends its line", "x".repeat(5000), "INVALID_DATA", /not a D-Bus server/],
  ];
  for (const [what, answer, code, words] of strangers) {
    it(`gives a typed error when what listens ${what}`, async () => {
      const path = join(bus.directory, what.replaceAll(" ", "-"));
      const sockets: Socket[] = [];
      await using server = createServer((socket) => {
        sockets.push(socket);
        socket.on("error", () => undefined);
        socket.write(answer);
      }).listen(path);
      await once(server, "listening");
      await assert.rejects(connectToBus(`unix:path=${path}`), isIOError(code, words));
      for (const socket of sockets) socket.destroy();
    });
  }

  it("can be given up while the server says nothing", async () => {
    const path = join(bus.directory, "silent");
    const accepted: Socket[] = [];
    await using server = createServer((socket) => accepted.push(socket)).listen(path);
    await once(server, "listening");
    const abort = new AbortController();
    const attempt = connectToBus(`unix:path=${path};${bus.address}`, { signal: abort.signal });
    await once(server, "connection");
    abort.abort();
    await assert.rejects(attempt, isIOError("CANCELLED"));
    for (const socket of accepted) socket.destroy();
  });

  it("leaves no descriptor open when it fails", async () => {
    
    const path = join(bus.directory, "rude-again");
    await using server = createServer((socket) => socket.destroy()).listen(path);
    await once(server, "listening");
    const count = (): number => readdirSync("/proc/self/fd").length;
    await connectToBus(`unix:path=${path}`).catch(() => undefined);
    const before = count();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await assert.rejects(connectToBus(`unix:path=${path}`));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(count() <= before + 2, `${before} before, ${count()} after`);
  });
});

describe("a bus client in a user namespace", () => {
  it("is let in although its user id is another than outside", async () => {
    await using bus = await startPrivateBus();
    const root = join(import.meta.dirname, "../../..");
    const client = join(import.meta.dirname, "fixtures/print-name.ts");
    const namespace = ["--unshare-user", "--uid", String(foreignUid()), "--gid", "0", "--bind", "/", "/"];
    const { stdout } = await run(
      "bwrap",
      [...namespace, "--dev-bind", "/dev", "/dev", "--chdir", root, process.execPath, "--import", "tsx", client, bus.address],
      { cwd: root },
    );
    assert.match(stdout, new RegExp(`^uid ${foreignUid()}, name :1\\.\\d+\n$`));
  });
});

/** Another number than ours. */
function foreignUid(): number {
  return process.getuid?.() === 0 ? 1234 : 0;
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
