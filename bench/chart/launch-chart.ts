/** docs/performance.svg: how long a launch takes, and how many there are in a second. */
import type { Measurement, Spread } from "../measure.js";
import { ACCENT, bar, circle, drawing, FAINT, GRID, INK, line, logarithmic, OTHER, text, ticks } from "./svg.js";

const WIDTH = 860;
/** Where names end and figures begin. */
const LEFT = 304;
const RIGHT = WIDTH - 120;
const ROW = 29;

export function launchChart(launch: Measurement, rates: Measurement, processes: number, where: string): string {
  const times = launch.names.map((name) => ({ name, time: launch.time(name) })).sort((a, b) => a.time.median - b.time.median);
  const perSecond = rates.names
    .map((name) => ({ name, rate: (processes / rates.time(name).median) * 1000 }))
    .sort((a, b) => b.rate - a.rate);
  const second = 84 + times.length * ROW + 84;
  const height = second + perSecond.length * ROW + 56;
  return drawing(WIDTH, height, "How long launches take with gio-sandbox and with others", [
    text(24, 36, "From the launch of /bin/true to its exit", { size: 17, isBold: true }),
    text(24, 56, "milliseconds, each step the same factor: medians, and where half of all launches lie", { colour: FAINT }),
    ...timeRows(times, 84),
    text(24, second - 34, `${processes} launches, 32 at once`, { size: 17, isBold: true }),
    text(24, second - 14, "launches a second", { colour: FAINT }),
    ...rateRows(perSecond, second),
    text(24, height - 20, where, { size: 11, colour: FAINT }),
  ]);
}

function timeRows(rows: readonly { readonly name: string; readonly time: Spread }[], top: number): string[] {
  const all = rows.flatMap(({ time }) => [time.lowerQuartile, time.upperQuartile]);
  const domain = [Math.min(...all) / 1.25, Math.max(...all) * 1.25] as const;
  const place = logarithmic(domain, [LEFT, RIGHT]);
  const bottom = top + rows.length * ROW;
  return [
    ...ticks(domain).flatMap((tick) => [
      line(place(tick), top, place(tick), bottom, GRID),
      text(place(tick), bottom + 16, String(tick), { size: 11, colour: FAINT, anchor: "middle" }),
    ]),
    ...rows.flatMap(({ name, time }, index) => {
      const y = top + (index + 0.5) * ROW;
      const colour = colourOf(name);
      return [
        nameText(name, y),
        line(place(time.lowerQuartile), y, place(time.upperQuartile), y, colour, 3),
        circle(place(time.median), y, 6, colour),
        text(WIDTH - 24, y + 4, `${time.median.toPrecision(time.median < 10 ? 2 : 3)} ms`, { anchor: "end", isBold: isOurs(name) }),
      ];
    }),
  ];
}

function rateRows(rows: readonly { readonly name: string; readonly rate: number }[], top: number): string[] {
  const most = Math.max(...rows.map(({ rate }) => rate));
  return rows.flatMap(({ name, rate }, index) => {
    const y = top + (index + 0.5) * ROW;
    return [
      nameText(name, y),
      bar(LEFT, y - 8, ((RIGHT - LEFT) * rate) / most, 16, colourOf(name)),
      text(WIDTH - 24, y + 4, rate.toFixed(0), { anchor: "end", isBold: isOurs(name) }),
    ];
  });
}

function nameText(name: string, y: number): string {
  return text(LEFT - 16, y + 4, name, { anchor: "end", colour: INK, isBold: isOurs(name) });
}

function isOurs(name: string): boolean {
  return name.startsWith("gio-sandbox");
}

function colourOf(name: string): string {
  return isOurs(name) ? ACCENT : OTHER;
}
