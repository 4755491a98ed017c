// The view of all responses: a search by model, status and metadata, page by page.

import { get } from "./api.js";
import { field, h, heading, select, table } from "./dom.js";
import { dollars, duration, metadata, time, tokens } from "./format.js";
import { status } from "./response.js";
import { link as address } from "./routes.js";
import { empty, load } from "./states.js";

const PAGE = 20;
const STATUSES = ["completed", "in_progress", "queued", "incomplete", "failed", "cancelled"];
const FILTERS = ["model", "status", "metadata"];

export function showResponses(place, route, signal) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, route.query.get(name) ?? ""]));
  const list = h("div", { class: "results" });
  place.append(heading("Responses"), searchForm(filters), list);
  const query = { limit: PAGE, after: route.query.get("after"), model: filters.model, status: filters.status };
  const read = () => get("/responses", { ...query, ...pairs(filters.metadata) }, signal);
  load(list, "Reading the responses…", read, (page) => drawPage(page, filters, query.after));
}

function searchForm(filters) {
  const model = h("input", { value: filters.model, autocomplete: "off", placeholder: "gpt-5" });
  const end = select([["", "any"], ...STATUSES.map((name) => [name, name])], filters.status);
  const data = h("textarea", { rows: "2", placeholder: "team=search" }, filters.metadata);
  const submit = (event) => {
    event.preventDefault();
    location.hash = address("responses", null, { model: model.value.trim(), status: end.value, metadata: data.value.trim() });
  };
  return h(
    "form",
    { class: "search", submit, "aria-label": "Search" },
    field("Model", model, "The name in the request"),
    field("Status", end),
    field("Metadata", data, "key=value, one in each line"),
    h(
      "p",
      { class: "actions" },
      h("button", { type: "submit" }, "Search"),
      h("a", { class: "button", href: address("responses") }, "Clear"),
    ),
  );
}

// "team=search" becomes { "metadata[team]": "search" }.
export function pairs(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [key, ...value] = line.split("=");
      return [`metadata[${key.trim()}]`, value.join("=").trim()];
    }),
  );
}

function drawPage(page, filters, after) {
  if (page.data.length === 0 && !page.has_more) return nothing(filters, after);
  return [
    table("Responses, the newest first", COLUMNS, page.data),
    h(
      "nav",
      { class: "pages", "aria-label": "Pages" },
      after && h("a", { class: "button", href: address("responses", null, filters) }, "First page"),
      page.has_more &&
        h("a", { class: "button", href: address("responses", null, { ...filters, after: page.last_id }) }, "Next page"),
    ),
  ];
}

function nothing(filters, after) {
  if (after) return empty("There are no more responses. ", h("a", { href: address("responses", null, filters) }, "First page"));
  if (Object.values(filters).some(Boolean)) return empty("No response matches this search.");
  return empty("This tenant has no responses yet. ", h("a", { href: address("playground") }, "Make one in the playground."));
}

const COLUMNS = [
  ["Response", (link) => h("a", { href: address("responses", link.id) }, h("code", {}, link.id))],
  ["Status", status],
  ["Model", (link) => link.model ?? "–"],
  ["Target", (link) => link.target],
  ["Tokens", (link) => tokens(link.usage), "number"],
  ["Cost", (link) => dollars(link.cost_usd), "number"],
  ["Created", (link) => time(link.created_at)],
  ["Duration", (link) => duration(link.completed_at && link.completed_at - link.created_at), "number"],
  ["Metadata", (link) => metadata(link.metadata) || "–"],
];
