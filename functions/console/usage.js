// The view of the usage by day, model, target and key.

import { get } from "./api.js";
import { bars, columns } from "./chart.js";
import { facts, field, h, heading, select } from "./dom.js";
import { bytes, dollars, number, short } from "./format.js";
import { link as address } from "./routes.js";
import { empty, load } from "./states.js";

const DAY = 86_400_000; // milliseconds
const RANGES = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["366", "366 days"]];
const MEASURES = {
  cost_usd: ["Cost", dollars],
  total_tokens: ["Tokens", short],
  requests: ["Requests", short],
};
const DIMENSIONS = [["model", "Model"], ["target", "Target"], ["key_id", "Key"]];

export function showUsage(place, route, signal) {
  const days = RANGES.some(([value]) => value === route.query.get("days")) ? route.query.get("days") : "30";
  const measure = Object.hasOwn(MEASURES, route.query.get("of") ?? "") ? route.query.get("of") : "cost_usd";
  const content = h("div", { class: "results" });
  place.append(heading("Usage"), choices(days, measure), content);
  const end = new Date();
  const start = new Date(end.getTime() - (Number(days) - 1) * DAY);
  const query = { start: start.toISOString().slice(0, 10), end: end.toISOString().slice(0, 10) };
  load(content, "Reading the usage…", () => get("/usage", query, signal), (report) => draw(report, measure));
}

function choices(days, measure) {
  const range = select(RANGES, days);
  const of = select(Object.entries(MEASURES).map(([name, [text]]) => [name, text]), measure);
  const submit = (event) => {
    event.preventDefault();
    location.hash = address("usage", null, { days: range.value, of: of.value });
  };
  return h(
    "form",
    { class: "search", submit, "aria-label": "What to show" },
    field("Period", range),
    field("Amount", of),
    h("p", { class: "actions" }, h("button", { type: "submit" }, "Show")),
  );
}

function draw(report, measure) {
  const [name, format] = MEASURES[measure];
  const totals = facts([
    ["Requests", number(report.total.requests)],
    ["Failed", number(report.total.failed)],
    ["Input tokens", number(report.total.input_tokens)],
    ["Output tokens", number(report.total.output_tokens)],
    ["Cost", dollars(report.total.cost_usd)],
    ["Without a known price", number(report.total.unpriced)],
    ["Files now", `${number(report.storage.files)}, ${bytes(report.storage.file_bytes)}`],
    ["Vector stores now", number(report.storage.vector_stores)],
  ]);
  if (report.data.length === 0) return [totals, empty("Nothing was used in this period. A response is counted when it has ended.")];
  return [
    totals,
    columns(`${name} by day (UTC)`, byDay(report, measure), format),
    DIMENSIONS.map(([dimension, text]) => bars(`${name} by ${text.toLowerCase()}`, text, sums(report.data, dimension, measure), format)),
  ].flat();
}

// Also days without usage, so that the distances are true.
function byDay(report, measure) {
  const found = new Map(sums(report.data, "day", measure));
  const days = [];
  for (let day = Date.parse(report.start); day <= Date.parse(report.end); day += DAY) {
    const name = new Date(day).toISOString().slice(0, 10);
    days.push([name, found.get(name) ?? 0]);
  }
  return days;
}

function sums(buckets, dimension, measure) {
  const totals = new Map();
  for (const bucket of buckets) {
    const name = bucket[dimension] || "(none)";
    totals.set(name, (totals.get(name) ?? 0) + Number(bucket[measure]));
  }
  return [...totals].sort(([, a], [, b]) => b - a);
}
