/**
 * Results by year: bars, labelled at their ends, with the highest bar's count.
 *
 * @module
 */

import { drawing } from "./element.js";
import { count, counted, yearsLabel } from "./phrasing.js";

/** @typedef {{year: number, count: number}} Year */

const WIDTH = 288;
const HEIGHT = 76;
const TOP = 16;
const MOST_BARS = 72;

/**
 * @param {Year[]} years rising
 * @param {[number | null, number | null] | null} chosen
 */
export function histogram(years, chosen) {
  const groups = grouped(years);
  const first = groups[0].first;
  const last = groups[groups.length - 1].last;
  const most = Math.max(...groups.map((group) => group.count));
  const step = WIDTH / groups.length;
  const gap = step > 6 ? 2 : step > 3 ? 1 : 0.5;
  const said = chosen ? `; chosen are those ${yearsLabel(chosen)}` : "";
  const picture = drawing("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT + 20}`,
    role: "img",
    "aria-label": `Results by year, ${yearsLabel([first, last])}${said}`,
  });
  groups.forEach((group, i) => {
    const height = group.count ? Math.max(1.5, ((HEIGHT - TOP) * group.count) / most) : 0;
    const x = round(i * step);
    const isOut = chosen && (group.last < (chosen[0] ?? 0) || group.first > (chosen[1] ?? 9999));
    const bar = { x, width: round(step - gap), "data-from": group.first, "data-to": group.last };
    const name = `${yearsLabel([group.first, group.last])}: ${counted(group.count, "result")}`;
    picture.append(
      drawing("rect", {
        ...bar,
        class: isOut ? "out" : "bar",
        y: round(HEIGHT - height),
        height: round(height),
      }),
      // The whole column can be pointed at, not just the bar.
      drawing(
        "rect",
        { ...bar, class: "hold", y: 0, height: HEIGHT, width: round(step) },
        drawing("title", {}, name),
      ),
    );
  });
  picture.append(
    drawing("line", { x1: 0, x2: WIDTH, y1: HEIGHT + 0.5, y2: HEIGHT + 0.5 }),
    drawing("text", { x: 0, y: HEIGHT + 16 }, String(first)),
  );
  if (last > first) {
    picture.append(
      drawing("text", { x: WIDTH, y: HEIGHT + 16, "text-anchor": "end" }, String(last)),
    );
  }
  const at = groups.findIndex((group) => group.count === most);
  const middle = (at + 0.5) * step;
  const anchor = middle < 20 ? "start" : middle > WIDTH - 20 ? "end" : "middle";
  const x = { start: 0, middle: round(middle), end: WIDTH }[anchor];
  picture.append(drawing("text", { x, y: TOP - 5, "text-anchor": anchor }, count(most)));
  return picture;
}

/**
 * One entry for each year, or for each few where there are many; years without results too.
 *
 * @param {Year[]} years rising, at least one
 */
export function grouped(years) {
  const first = years[0].year;
  const last = years[years.length - 1].year;
  const size = [1, 2, 5, 10, 20, 50, 100].find((n) => (last - first + 1) / n <= MOST_BARS) ?? 200;
  const start = size === 1 ? first : first - (first % size);
  const counts = new Map();
  for (const { year, count: n } of years) {
    const at = Math.floor((year - start) / size);
    counts.set(at, (counts.get(at) ?? 0) + n);
  }
  const groups = [];
  for (let from = start, at = 0; from <= last; from += size, at++) {
    groups.push({
      first: Math.max(first, from),
      last: Math.min(last, from + size - 1),
      count: counts.get(at) ?? 0,
    });
  }
  return groups;
}

/** @param {number} number */
function round(number) {
  return Math.round(number * 100) / 100;
}
