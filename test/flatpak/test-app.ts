import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { env, execPath, getuid } from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { FlatpakSession } from "./session.js";
import { unprivileged } from "./session.js";

/** The application's id. */
export const appId = "io.github.gio_sandbox.Test";

/** Where our tree is inside the application. */
export const appTree = "/app/lib/gio-sandbox";

const project = fileURLToPath(new URL("../..", import.meta.url));
const tool = join(project, "tools/flatpak-test-app");

/**
 * Where the runtime and the application stay, one place for each user that the tests run them as. What they are made of
 * is in the names of their branches, so that what is there can be used as it is.
 */
export function cacheDirectory(): string {
  const cache = join(project, "build/flatpak", String(unprivileged().uid));
  mkdirSync(cache, { recursive: true });
  return cache;
}

/** Builds and installs what is not there: the runtime, and our tree as an application. Returns the application's branch. */
export async function installTestApp(session: FlatpakSession): Promise<string> {
  const runtimeKey = output(tool, ["runtime-key"]).trim();
  const runtime = `runtime/io.github.gio_sandbox.Platform/${architecture()}/${runtimeKey}`;
  if (!isInstalled(runtime)) await install(session, runtimeKey, (tree) => void output(tool, ["runtime", tree]));
  const appKey = hashOfApp(runtimeKey);
  const app = `app/${appId}/${architecture()}/${appKey}`;
  if (!isInstalled(app)) await install(session, appKey, (tree) => makeApp(tree, runtimeKey));
  return appKey;
}

function architecture(): string {
  return output("flatpak", ["--default-arch"]).trim();
}

function isInstalled(ref: string): boolean {
  return existsSync(join(cacheDirectory(), "installation", ref, "active"));
}

async function install(session: FlatpakSession, branch: string, make: (tree: string) => void | Promise<void>): Promise<void> {
  const tree = mkdtempSync(join(cacheDirectory(), "tree-"));
  try {
    await make(tree);
    giveAway(tree);
    const copy = join(session.directory, "flatpak-test-app");
    writeFileSync(copy, readFileSync(tool));
    const seen = join(session.cache, tree.slice(cacheDirectory().length));
    // two runs of the tests must not write into one repository at a time
    const argv = ["flock", join(session.cache, "lock"), "sh", copy, "install", session.cache, seen, branch];
    const child = session.spawn(argv, ["ignore", "ignore", "pipe"]);
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const complaint = child.stderr === null ? "" : await text(child.stderr);
    if ((await ended) !== 0) throw new Error(`The application for the tests could not be installed:\n${complaint}`);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Whoever installs a tree has to be able to read it. */
function giveAway(tree: string): void {
  if (getuid?.() !== 0) return;
  const { uid, gid } = unprivileged();
  chownSync(tree, uid, gid);
  output("chown", ["-R", `${uid}:${gid}`, tree]);
}

/** What the application has of our tree as it is, and what it has as JavaScript. */
const copied = ["package.json", "bin", "dist", "build/fixtures", "data"];
const transpiled = ["src", "test", "bench"];

function hashOfApp(runtimeKey: string): string {
  const hash = createHash("sha256").update(runtimeKey);
  // the lock file stands for the npm packages
  for (const file of [...copied, ...transpiled, "package-lock.json"].flatMap(filesAt)) {
    const content = readFileSync(join(project, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

function filesAt(path: string): string[] {
  const status = statSync(join(project, path), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [path];
  return readdirSync(join(project, path), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesAt(join(path, entry.name)));
}

async function makeApp(tree: string, runtimeKey: string): Promise<void> {
  const target = join(tree, "files/lib/gio-sandbox");
  mkdirSync(target, { recursive: true });
  mkdirSync(join(tree, "export"));
  for (const path of copied) {
    if (existsSync(join(project, path))) cpSync(join(project, path), join(target, path), { recursive: true });
  }
  const sources = transpiled.flatMap(filesAt);
  // file by file: what a module finds beside itself by import.meta.url is there too
  await build({
    entryPoints: sources.filter((file) => file.endsWith(".ts")),
    absWorkingDir: project,
    outbase: project,
    outdir: target,
    platform: "node",
    target: "node20.19",
    format: "esm",
    logLevel: "error",
  });
  for (const file of sources.filter((name) => !name.endsWith(".ts"))) cpSync(join(project, file), join(target, file));
  for (const path of packagesForApp()) cpSync(join(project, path), join(target, path), { recursive: true });
  const runtime = `io.github.gio_sandbox.Platform/${architecture()}/${runtimeKey}`;
  writeFileSync(join(tree, "metadata"), `[Application]\nname=${appId}\nruntime=${runtime}\nsdk=${runtime}\ncommand=node\n`);
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The installed packages that our own and mocha need, as paths like `node_modules/koffi`. */
function packagesForApp(): string[] {
  const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Set<string>();
  const add = (name: string, from: string): void => {
    const path = resolvePackage(packages, name, from);
    if (path === null || found.has(path) || !existsSync(join(project, path))) return;
    found.add(path);
    addNeedsOf(path);
  };
  const addNeedsOf = (path: string): void => {
    const { dependencies, optionalDependencies } = packages[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) add(name, path);
  };
  addNeedsOf("");
  add("mocha", "");
  return [...found].filter((path) => ![...found].some((other) => path.startsWith(`${other}/`)));
}

/** Where Node finds a package that the one at `from` needs; null if it is not in the lock file, as one may be that is optional. */
function resolvePackage(packages: Readonly<Record<string, LockedPackage>>, name: string, from: string): string | null {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/node_modules/")))) {
    const path = place === "" ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (path in packages) return path;
    if (place === "") return null;
  }
}

function output(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...env, PATH: `${dirname(execPath)}:${env["PATH"] ?? ""}` },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr}`);
  return stdout;
}
