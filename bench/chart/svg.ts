/** The parts of a drawing, as text. Lengths are in pixels. */

/** A light sheet under everything, so that a chart reads the same on a dark page. */
const PAPER = "#fbfaf8";
export const INK = "#241f31";
export const FAINT = "#77767b";
export const GRID = "#deddda";
/** Colours that can be told apart by the colour-blind too. */
export const ACCENT = "#1c71d8";
export const OTHER = "#9a9996";
export const THIRD = "#c64600";

export type Anchor = "start" | "middle" | "end";

export interface TextStyle {
  readonly size?: number;
  readonly colour?: string;
  readonly anchor?: Anchor;
  readonly isBold?: boolean;
}

/** A whole drawing. `description` is for those who cannot see it. */
export function drawing(width: number, height: number, description: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `role="img" font-family="system-ui, 'Cantarell', 'DejaVu Sans', sans-serif">`,
    `<title>${escaped(description)}</title>`,
    `<rect width="${width}" height="${height}" rx="12" fill="${PAPER}"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** @param y of the line that the letters stand on */
export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 13, colour = INK, anchor = "start", isBold = false } = style;
  const weight = isBold ? ' font-weight="600"' : "";
  return `<text x="${short(x)}" y="${short(y)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}"${weight}>${escaped(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, colour: string, width = 1): string {
  return `<line x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}" stroke="${colour}" stroke-width="${width}" stroke-linecap="round"/>`;
}

export function circle(x: number, y: number, radius: number, colour: string): string {
  return `<circle cx="${short(x)}" cy="${short(y)}" r="${radius}" fill="${colour}"/>`;
}

export function bar(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${height}" rx="3" fill="${colour}"/>`;
}

export function path(points: readonly (readonly [x: number, y: number])[], colour: string): string {
  const d = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${short(x)} ${short(y)}`).join(" ");
  return `<path d="${d}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
}

/** Where a value lies on an axis whose steps are factors. */
export function logarithmic(domain: readonly [number, number], range: readonly [number, number]): (value: number) => number {
  const [low, high] = domain.map(Math.log10) as [number, number];
  return (value) => range[0] + ((Math.log10(value) - low) / (high - low)) * (range[1] - range[0]);
}

/** 1, 2 and 5 times each power of ten that lie in the domain. */
export function ticks([low, high]: readonly [number, number], steps: readonly number[] = [1, 2, 5]): number[] {
  const powers = Array.from({ length: 12 }, (_, index) => 10 ** (index - 4));
  return powers.flatMap((power) => steps.map((step) => Number((step * power).toPrecision(3)))).filter((tick) => tick >= low && tick <= high);
}

function short(length: number): string {
  return String(Math.round(length * 10) / 10);
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
