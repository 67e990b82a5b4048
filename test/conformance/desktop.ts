import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { connectMessageBus } from "../../src/node/bus/message-bus.js";
import { startPrivateBus } from "../node/bus/private-bus.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";

/** The names that services of the desktop own on its bus. */
export const busNames = ["org.example.One", "org.example.Two", "org.freedesktop.systemd1", "org.freedesktop.portal.Desktop"];

/** A desktop: an X server, a message bus with services, and listening sockets where the others would be. */
export async function startDesktop(): Promise<AsyncDisposable> {
  const undo: (() => unknown)[] = [];
  const end = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    await start(undo);
  } catch (error) {
    await end();
    throw error;
  }
  return { [Symbol.asyncDispose]: end };
}

/** @param undo gets what takes each step back */
async function start(undo: (() => unknown)[]): Promise<void> {
  const runtime = temporaryDirectory();
  undo.push(() => runtime[Symbol.dispose]());
  const bus = await startPrivateBus();
  undo.push(() => bus[Symbol.asyncDispose]());
  const services = await connectMessageBus(bus.address);
  undo.push(() => services.disconnect());
  for (const name of busNames) await services.requestName(name, 0);
  mkdirSync(join(runtime.path, "pulse"));
  for (const name of ["wayland-0", "pulse/native", "pipewire-0", "agent"]) {
    const server = await listening(join(runtime.path, name));
    undo.push(() => server.close());
  }
  const display = await startXServer(undo);
  const home = join(runtime.path, "home");
  mkdirSync(join(home, ".config"), { recursive: true });
  writeFileSync(join(home, ".config/user-dirs.dirs"), 'XDG_PICTURES_DIR="$HOME/Pictures"\n');
  undo.push(
    setVariables({
      ...{ HOME: home, XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, XDG_CACHE_HOME: undefined },
      XDG_RUNTIME_DIR: runtime.path,
      DBUS_SESSION_BUS_ADDRESS: bus.address,
      DBUS_SYSTEM_BUS_ADDRESS: bus.address,
      AT_SPI_BUS_ADDRESS: bus.address,
      DISPLAY: display,
      WAYLAND_DISPLAY: "wayland-0",
      SSH_AUTH_SOCK: join(runtime.path, "agent"),
      PULSE_SERVER: undefined,
      XAUTHORITY: undefined,
    }),
  );
}

/**
 * @param undo gets what ends it
 * @returns its `DISPLAY`
 */
export async function startXServer(undo: (() => unknown)[]): Promise<string> {
  const server = spawn("Xvfb", ["-displayfd", "3", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const ended = once(server, "exit");
  undo.push(async () => {
    server.kill();
    await ended;
  });
  const number = (await Promise.race([once(server.stdio[3] as Readable, "data"), ended])) as [Buffer | number];
  if (!Buffer.isBuffer(number[0])) throw new Error("Xvfb does not run");
  return `:${number[0].toString().trim()}`;
}

/** A socket that takes connections, and closes them. */
export async function listening(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(path);
  await once(server, "listening");
  return server;
}

/** @returns what sets them to what they were */
function setVariables(variables: Readonly<Record<string, string | undefined>>): () => void {
  const old = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  const set = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
  set(variables);
  return () => set(old);
}
