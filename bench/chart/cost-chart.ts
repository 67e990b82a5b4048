/** docs/cost-curves.svg: how launch times grow with what a launch carries. */
import type { CostCurves, Curve } from "../costs.js";
import { ACCENT, circle, drawing, FAINT, GRID, line, logarithmic, OTHER, path, text, THIRD, ticks } from "./svg.js";

const WIDTH = 860;
const HEIGHT = 424;
const TOP = 136;
const BOTTOM = HEIGHT - 76;
const MARGIN = 56;
const GAP = 44;

/** The same for all panels, so that they can be compared. */
const TIMES = [0.5, 3000] as const;

const y = logarithmic(TIMES, [BOTTOM, TOP]);

const colours: readonly string[] = [ACCENT, OTHER, THIRD];

export function costChart(costs: readonly CostCurves[], where: string): string {
  const names = [...new Set(costs.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const width = (WIDTH - MARGIN - 24 - GAP * (costs.length - 1)) / costs.length;
  return drawing(WIDTH, HEIGHT, "How launch times grow with mounts, descriptors and environment", [
    text(24, 36, "What a launch costs, by what it carries", { size: 17, isBold: true }),
    text(24, 56, "milliseconds from the launch of /bin/true to its exit, medians; each step the same factor on both axes", { colour: FAINT }),
    ...names.flatMap((name, index) => [
      circle(30 + index * 180, 80, 5, colourOf(name, names)),
      text(42 + index * 180, 84.5, name),
    ]),
    ...costs.flatMap((cost, index) => panel(cost, MARGIN + index * (width + GAP), width, names)),
    text(24, HEIGHT - 20, where, { size: 11, colour: FAINT }),
  ]);
}

function panel({ title, unit, curves }: CostCurves, left: number, width: number, names: readonly string[]): string[] {
  const amounts = [...new Set(curves.flatMap(({ points }) => points.map(({ amount }) => amount)))];
  // nothing has no place on such an axis: it stands at its left end
  const least = Math.min(...amounts.filter((amount) => amount > 0));
  const lowest = amounts.includes(0) ? least / 10 : least;
  const place = logarithmic([lowest, Math.max(...amounts)], [left + 10, left + width - 10]);
  const x = (amount: number): number => place(Math.max(amount, lowest));
  return [
    text(left, TOP - 18, title, { isBold: true }),
    ...ticks(TIMES, [1]).flatMap((tick) => [
      line(left, y(tick), left + width, y(tick), GRID),
      text(left - 8, y(tick) + 4, String(tick), { size: 11, colour: FAINT, anchor: "end" }),
    ]),
    ...amounts.map((amount) => text(x(amount), BOTTOM + 18, String(amount), { size: 11, colour: FAINT, anchor: "middle" })),
    text(left + width / 2, BOTTOM + 36, unit, { size: 11, colour: FAINT, anchor: "middle" }),
    // the first one on top
    ...[...curves].reverse().flatMap((curve) => curveParts(curve, x, colourOf(curve.name, names))),
  ];
}

function curveParts({ points }: Curve, x: (amount: number) => number, colour: string): string[] {
  const places = points.map(({ amount, time }) => [x(amount), y(time.median)] as const);
  return [path(places, colour), ...places.map(([left, top]) => circle(left, top, 4, colour))];
}

function colourOf(name: string, names: readonly string[]): string {
  return colours[names.indexOf(name)] ?? OTHER;
}
