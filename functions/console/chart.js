// Charts of sums: small SVG pictures, each with the table of its numbers.

import { h, svg, table } from "./dom.js";

const WIDTH = 720;
const HEIGHT = 180;
const LEFT = 56; // for the labels of the axis
const BOTTOM = 22;
const LABELS = 6; // below the columns, at most
const ROW = 26;
const MOST_BARS = 12;
const NAME = 240; // pixels for names beside the bars
const NAME_CHARS = 32;

// `points`: [name, value] in the order of time.
export function columns(title, points, format) {
  const top = Math.max(...points.map(([, value]) => value), 0) || 1;
  const step = (WIDTH - LEFT) / points.length;
  const height = HEIGHT - BOTTOM;
  const y = (value) => height - (value / top) * (height - 12);
  const every = Math.ceil(points.length / LABELS);
  const drawing = picture(title, HEIGHT, [
    [0, top / 2, top].map((value) => gridLine(y(value), format(value))),
    points.map(([name, value], n) =>
      svg(
        "rect",
        { class: "column", x: LEFT + n * step + 1, y: y(value), width: Math.max(step - 2, 1), height: height - y(value) },
        svg("title", {}, `${name}: ${format(value)}`),
      ),
    ),
    points
      .map(([name], n) => [name, n])
      .filter(([, n]) => n % every === 0)
      .map(([name, n]) => svg("text", { x: LEFT + n * step, y: HEIGHT - 6 }, name.slice(5))),
  ]);
  return figure(title, "Day", points, format, drawing);
}

// `points`: [name, value], the largest first.
export function bars(title, heading, points, format) {
  const drawn = points.slice(0, MOST_BARS);
  const top = Math.max(...drawn.map(([, value]) => value), 0) || 1;
  const width = WIDTH - NAME - 90;
  const drawing = picture(
    title,
    drawn.length * ROW + 4,
    drawn.map(([name, value], n) => [
      svg("text", { x: 0, y: n * ROW + 18 }, shorten(name)),
      svg("rect", { class: "column", x: NAME, y: n * ROW + 6, width: Math.max((value / top) * width, 1), height: ROW - 10 }),
      svg("text", { x: NAME + Math.max((value / top) * width, 1) + 6, y: n * ROW + 18 }, format(value)),
    ]),
  );
  return figure(title, heading, points, format, drawing);
}

const shorten = (name) => (name.length > NAME_CHARS ? `${name.slice(0, NAME_CHARS - 1)}…` : name);

const gridLine = (y, label) => [
  svg("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y }),
  svg("text", { x: LEFT - 6, y: y + 4, class: "end" }, label),
];

const picture = (title, height, children) =>
  svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `${title}. The table below has the numbers.` },
    children.flat(3),
  );

const figure = (title, heading, points, format, drawing) =>
  h(
    "figure",
    {},
    h("figcaption", {}, title),
    drawing,
    h(
      "details",
      {},
      h("summary", {}, `Table: ${title}`),
      table(title, [[heading, ([name]) => name], ["Amount", ([, value]) => format(value), "number"]], points),
    ),
  );
