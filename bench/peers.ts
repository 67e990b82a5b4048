/** Other ways to start a process, with a sandbox and without, and ours on GJS: those that are installed and run here. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { command } from "./command.js";
import type { Contender } from "./measure.js";
import { Remote } from "./remote.js";

export const GIO = "Gio.Subprocess on GJS, no sandbox";
export const GJS_OPEN = "gio-sandbox on GJS, open sandbox";
export const GJS_COLD = "gio-sandbox on GJS";
export const RUNTIME = "sandbox-runtime 0.0.78, as a library";
export const FIREJAIL = "firejail";
export const NSPAWN = "systemd-nspawn";

export interface Peers extends AsyncDisposable {
  readonly contenders: readonly Contender[];
  /** Those that do not run here, each with the reason. */
  readonly absent: readonly string[];
}

/** Starts what of the peers is a program of its own, and tries each. */
export async function startPeers(): Promise<Peers> {
  const resources: AsyncDisposable[] = [];
  const contenders: Contender[] = [];
  const absent: string[] = [];
  for (const [name, make] of peers) {
    try {
      const contender = make(name, (resource) => resources.push(resource));
      await contender.run();
      contenders.push(contender);
    } catch (error) {
      absent.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return {
    contenders,
    absent,
    async [Symbol.asyncDispose]() {
      for (const resource of resources) await resource[Symbol.asyncDispose]();
    },
  };
}

/** @param keep is told of what has to be ended in the end */
type MakeContender = (name: string, keep: (resource: AsyncDisposable) => void) => Contender;

const peers: readonly (readonly [name: string, make: MakeContender])[] = [
  [GIO, remote(["gjs", "-m", "bench/peers/gio-subprocess.gjs.js"])],
  [GJS_OPEN, remote(["gjs", "-m", "bench/peers/gio-sandbox.gjs.js", "open"])],
  [GJS_COLD, remote(["gjs", "-m", "bench/peers/gio-sandbox.gjs.js"])],
  // no network, a home, /tmp and /dev of its own, a system call filter, no capabilities: what our default comes to
  [
    FIREJAIL,
    (name) => {
      const isolation = ["--net=none", "--private", "--private-tmp", "--private-dev", "--seccomp", "--caps.drop=all", "--nonewprivs"];
      return command(name, ["firejail", "--quiet", "--noprofile", ...isolation, "/bin/true"]);
    },
  ],
  [
    NSPAWN,
    (name, keep) => {
      const root = new RootDirectory();
      keep(root);
      const isolation = ["--private-network", "--bind-ro=/usr", "--register=no", "--keep-unit"];
      return command(name, ["systemd-nspawn", "--quiet", ...isolation, `--directory=${root.path}`, "/bin/true"]);
    },
  ],
  [RUNTIME, remote([execPath, "bench/peers/sandbox-runtime.mjs"])],
];

function remote(argv: readonly string[]): MakeContender {
  return (name, keep) => {
    const program = new Remote(argv);
    keep(program);
    return program.contender(name);
  };
}

/** The least that systemd-nspawn takes for a system, whose /usr is the host's. */
class RootDirectory implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), "gio-sandbox-bench-"));

  constructor() {
    for (const name of ["usr", "etc", "tmp"]) mkdirSync(join(this.path, name));
    for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(this.path, name));
    writeFileSync(join(this.path, "etc/os-release"), "ID=benchmark\n");
  }

  [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.path, { recursive: true });
    return Promise.resolve();
  }
}
