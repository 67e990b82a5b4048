// write-seeds DIRECTORY: writes a connection of each kind of frame that the encoder makes, for the fuzzer to start from.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { encodeClose, encodeHello } from "../../src/init/encode.js";
import { frames, greeted, joined } from "../init/samples.js";

const directory = argv[2];
if (directory === undefined) {
  console.error("Usage: write-seeds DIRECTORY");
  exit(2);
}
mkdirSync(directory, { recursive: true });
for (const [name, bytes] of frames) {
  const connection = name.startsWith("hello") ? joined(bytes, encodeClose()) : greeted(bytes);
  writeFileSync(join(directory, `encoder-${name}`), connection);
}
const all = frames.filter(([name]) => !name.startsWith("hello")).map(([, bytes]) => bytes);
writeFileSync(join(directory, "encoder-all"), joined(encodeHello(0), ...all));
