import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { percentEncoded } from "../../../src/node/bus/address.js";

/** A dbus-daemon of a test's own. */
export interface PrivateBus extends AsyncDisposable {
  /** As the daemon prints it, guid included. */
  readonly address: string;
  /** The directory that the daemon's files are in; a test may put its own there. */
  readonly directory: string;
  readonly daemon: ChildProcess;
  /** Kills the daemon and waits for its end. */
  kill(): Promise<void>;
}

/** @param listen the address to listen on, `%d` standing for the directory; a socket in it if absent */
export async function startPrivateBus(listen = "unix:path=%d/bus"): Promise<PrivateBus> {
  const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-bus-"));
  const configuration = join(directory, "bus.conf");
  writeFileSync(configuration, configurationOf(listen.replace("%d", percentEncoded(directory))));
  const daemon = spawn("dbus-daemon", [`--config-file=${configuration}`, "--nofork", "--print-address=1"], {
    // it complains about limits on descriptors that it cannot raise
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [address] = (await once(createInterface(daemon.stdout), "line")) as [string];
  const ended = once(daemon, "exit");
  const kill = async (): Promise<void> => {
    daemon.kill("SIGKILL");
    await ended;
  };
  return {
    address,
    directory,
    daemon,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(directory, { recursive: true });
    },
  };
}

function configurationOf(address: string): string {
  const escaped = address.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${escaped}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`;
}

/** The service that `fixtures/descriptor-service.js` offers, until it is disposed of. */
export async function startDescriptorService(bus: PrivateBus): Promise<AsyncDisposable & { readonly process: ChildProcess }> {
  const script = join(import.meta.dirname, "fixtures/descriptor-service.js");
  const service = spawn("gjs", ["-m", script], {
    env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus.address },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(service, "exit");
  const [line] = (await once(createInterface(service.stdout), "line")) as [string];
  assert.equal(line, "ready");
  return {
    process: service,
    async [Symbol.asyncDispose]() {
      service.kill("SIGKILL");
      await ended;
    },
  };
}

export const descriptorService = {
  destination: "org.example.Descriptors",
  path: "/org/example/Descriptors",
  interface: "org.example.Descriptors",
} as const;
