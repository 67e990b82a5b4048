import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "./png-parts.js";

type Colour = readonly [red: number, green: number, blue: number];

/** Colours of a picture, for x and y from 0 to 1. */
type Painting = (x: number, y: number) => Colour;

const WIDTH = 1200;
const HEIGHT = 900;

/** Makes a folder of pictures in several formats, one of them broken. */
export function makeSampleImages(directory: string): void {
  const paintings: readonly [string, Painting][] = [
    ["mandelbrot", mandelbrot],
    ["julia", julia],
    ["plasma", plasma],
    ["rings", rings],
    ["gradient", gradient],
    ["chessboard", chessboard],
  ];
  const encoders = [
    ["png", encodePng],
    ["bmp", encodeBmp],
    ["ppm", encodePpm],
    ["tga", encodeTga],
  ] as const;
  paintings.forEach(([name, painting], index) => {
    const pixels = paint(painting);
    for (const [extension, encode] of [encoders[0], encoders[1 + (index % 3)] ?? encoders[0]]) {
      writeFileSync(join(directory, `${name}.${extension}`), encode(pixels));
    }
  });
  writeFileSync(join(directory, "broken.png"), encodePng(paint(plasma)).fill(0x55, 16));
  const logo = "/usr/share/pixmaps/debian-logo.png";
  if (existsSync(logo)) copyFileSync(logo, join(directory, "debian-logo.png"));
}

function paint(painting: Painting): Uint8Array {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0, offset = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, offset += 3) pixels.set(painting(x / WIDTH, y / HEIGHT), offset);
  }
  return pixels;
}

function escapeTime(x: number, y: number, real: number, imaginary: number): Colour {
  let steps = 0;
  for (; steps < 80 && x * x + y * y < 4; steps++) [x, y] = [x * x - y * y + real, 2 * x * y + imaginary];
  return steps === 80 ? [20, 15, 45] : [(steps * 9) & 255, (steps * 5) & 255, (90 + steps * 3) & 255];
}

function mandelbrot(x: number, y: number): Colour {
  return escapeTime(0, 0, x * 3 - 2.1, y * 2.2 - 1.1);
}

function julia(x: number, y: number): Colour {
  return escapeTime(x * 3 - 1.5, y * 2.2 - 1.1, -0.74, 0.19);
}

function plasma(x: number, y: number): Colour {
  const value = Math.sin(x * 12) + Math.sin(y * 9) + Math.sin((x + y) * 11) + Math.sin(Math.hypot(x - 0.5, y - 0.5) * 30);
  const channel = (phase: number): number => 127 + 127 * Math.sin(value * 1.5 + phase);
  return [channel(0), channel(2), channel(4)];
}

function rings(x: number, y: number): Colour {
  const ring = Math.sin(Math.hypot(x - 0.5, (y - 0.5) * 0.75) * 60);
  return ring > 0 ? [240, 180 * y, 60] : [30, 90, 60 + 150 * x];
}

function gradient(x: number, y: number): Colour {
  return [255 * x, 255 * y, 255 * (1 - x)];
}

function chessboard(x: number, y: number): Colour {
  return (Math.floor(x * 8) + Math.floor(y * 6)) % 2 === 0 ? [238, 238, 210] : [118, 150, 86];
}

function encodePng(pixels: Uint8Array): Buffer {
  const rows = Buffer.alloc(HEIGHT * (1 + WIDTH * 3));
  for (let y = 0; y < HEIGHT; y++) {
    rows.set(pixels.subarray(y * WIDTH * 3, (y + 1) * WIDTH * 3), y * (1 + WIDTH * 3) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", new Uint8Array(0))];
  return Buffer.concat([signature, ...parts]);
}

function encodePpm(pixels: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`P6\n${WIDTH} ${HEIGHT}\n255\n`, "latin1"), pixels]);
}

function encodeBmp(pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(54);
  header.write("BM", "latin1");
  header.writeUInt32LE(54 + pixels.length, 2);
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(WIDTH, 18);
  header.writeInt32LE(-HEIGHT, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  return Buffer.concat([header, blueFirst(pixels)]);
}

function encodeTga(pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(18);
  header[2] = 2;
  header.writeUInt16LE(WIDTH, 12);
  header.writeUInt16LE(HEIGHT, 14);
  header.set([24, 0x20], 16);
  return Buffer.concat([header, blueFirst(pixels)]);
}

function blueFirst(pixels: Uint8Array): Uint8Array {
  const swapped = Uint8Array.from(pixels);
  for (let offset = 0; offset < pixels.length; offset += 3) {
    swapped[offset] = pixels[offset + 2] ?? 0;
    swapped[offset + 2] = pixels[offset] ?? 0;
  }
  return swapped;
}
