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
  const runtime = temporaryDirectory();
  const bus = await startPrivateBus();
  const services = await connectMessageBus(bus.address);
  for (const name of busNames) await services.requestName(name, 0);
  mkdirSync(join(runtime.path, "pulse"));
  const sockets = ["wayland-0", "pulse/native", "pipewire-0", "agent"].map((name) => join(runtime.path, name));
  const servers = await Promise.all(sockets.map(listening));
  const xServer = spawn("Xvfb", ["-displayfd", "3", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const [number] = (await once(xServer.stdio[3] as Readable, "data")) as [Buffer];
  const home = join(runtime.path, "home");
  mkdirSync(join(home, ".config"), { recursive: true });
  writeFileSync(join(home, ".config/user-dirs.dirs"), 'XDG_PICTURES_DIR="$HOME/Pictures"\n');
  const restore = setVariables({
    ...{ HOME: home, XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, XDG_CACHE_HOME: undefined },
    XDG_RUNTIME_DIR: runtime.path,
    DBUS_SESSION_BUS_ADDRESS: bus.address,
    DBUS_SYSTEM_BUS_ADDRESS: bus.address,
    AT_SPI_BUS_ADDRESS: bus.address,
    DISPLAY: `:${number.toString().trim()}`,
    WAYLAND_DISPLAY: "wayland-0",
    SSH_AUTH_SOCK: join(runtime.path, "agent"),
    PULSE_SERVER: undefined,
    XAUTHORITY: undefined,
  });
  return {
    async [Symbol.asyncDispose]() {
      restore();
      xServer.kill();
      await once(xServer, "exit");
      servers.forEach((server) => server.close());
      services.disconnect();
      await bus[Symbol.asyncDispose]();
      runtime[Symbol.dispose]();
    },
  };
}

async function listening(path: string): Promise<Server> {
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
