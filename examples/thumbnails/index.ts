/**
 * Makes thumbnails of a folder of images, each in a sandbox of its own, and a page that shows them.
 *
 *     npm run demo                 with images that it makes itself
 *     npm run demo -- ~/Pictures   with yours
 */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import process, { argv, stdout } from "node:process";
import type { AddressInfo } from "node:net";
import { GLibError, SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "gio-sandbox";
import type { Thumbnail } from "./contact-sheet.js";
import { contactSheet } from "./contact-sheet.js";
import { makeSampleImages } from "./sample-images.js";

const SIZE = 192;
const AT_ONCE = 4;
const TIMEOUT = 20_000;
const MAXIMUM_PNG = 4 * 1024 * 1024;
const extensions = [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".ppm", ".tga", ".tiff", ".tif", ".ico", ".xpm", ".svg"];

const output = mkdtempSync(join(tmpdir(), "gio-sandbox-demo-"));
const folder = imageFolder(argv[2]);
const images = readdirSync(folder)
  .filter((name) => extensions.includes(extname(name).toLowerCase()))
  .map((name) => join(folder, name));

if (images.length === 0) throw new Error(`There are no images in ${folder}`);
say(`Thumbnails of ${images.length} images in ${folder}, a sandbox for each:\n`);
const thumbnails = await makeThumbnails(images);
await showThatTheSandboxHolds(images);
const page = join(output, "thumbnails.html");
writeFileSync(page, contactSheet(thumbnails));
const made = thumbnails.filter((thumbnail) => "png" in thumbnail).length;
say(`\n${made} of ${images.length} thumbnails are on ${page}\n`);
process.exitCode = made > 0 ? 0 : 1;

function imageFolder(argument: string | undefined): string {
  if (argument !== undefined) return realpathSync(resolve(argument));
  const samples = join(output, "samples");
  mkdirSync(samples);
  say("Making sample images…\n");
  makeSampleImages(samples);
  return samples;
}

async function makeThumbnails(paths: readonly string[]): Promise<Thumbnail[]> {
  const thumbnails: Thumbnail[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < paths.length; index = next++) {
      const path = paths[index] ?? "";
      const start = performance.now();
      const thumbnail = await makeThumbnail(path);
      thumbnails[index] = thumbnail;
      const what = "png" in thumbnail ? `${thumbnail.png.length} bytes` : `no thumbnail: ${thumbnail.problem}`;
      const milliseconds = (performance.now() - start).toFixed(0);
      say(`  [${++done}/${paths.length}] ${basename(path)}: ${what}, ${milliseconds} ms\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return thumbnails;
}

/** The image is all that the program can read, and its standard output is all that it can write to. */
async function makeThumbnail(path: string): Promise<Thumbnail> {
  const launcher = new SandboxSubprocessLauncher({
    flags: SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDERR_PIPE,
    permissions: new SandboxPermissions().addFilesystem(`${path}:ro`),
    timeout: TIMEOUT,
  });
  launcher.maximumOutput = MAXIMUM_PNG;
  try {
    await using child = await launcher.spawnvAsync(thumbnailer(path));
    const [png, messages] = await child.communicateAsync(null);
    if (child.getSuccessful() && png !== null && isPng(png)) return { path, png };
    return { path, problem: firstLine(messages) };
  } catch (error) {
    if (error instanceof GLibError) return { path, problem: error.message };
    throw error;
  }
}

function thumbnailer(path: string): string[] {
  return ["gdk-pixbuf-thumbnailer", "--size", String(SIZE), path, "/dev/stdout"];
}

function isPng(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 8)).equals(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
}

function firstLine(messages: Uint8Array | null): string {
  const text = Buffer.from(messages ?? []).toString("utf8");
  return text.replace(/[^\P{Cc}\n]/gu, "?").trim().split("\n")[0] ?? "";
}

/** The same launcher, with the same lack of permissions, trying what it should not be able to do. */
async function showThatTheSandboxHolds(paths: readonly string[]): Promise<void> {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => listener.once("listening", done));
  const { port } = listener.address() as AddressInfo;
  say("\nWhat such a child cannot do:\n");
  const attempts: readonly [string, string[]][] = [
    ["open an image that it was not given", thumbnailer(paths[0] ?? "/etc/hostname")],
    ["list your home directory", ["ls", homedir()]],
    ["reach the network", ["bash", "-c", `: > /dev/tcp/127.0.0.1/${port}`]],
    ["write to /usr", ["touch", "/usr/bin/gio-sandbox-was-here"]],
  ];
  for (const [what, command] of attempts) {
    const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_SILENCE | SubprocessFlags.STDERR_PIPE });
    await using child = await launcher.spawnvAsync(command);
    const [, messages] = await child.communicateAsync(null);
    if (child.getSuccessful()) throw new Error(`A sandboxed child could ${what}`);
    say(`  ${what}: ${firstLine(messages)}\n`);
  }
  listener.close();
}

function say(text: string): void {
  stdout.write(text);
}
