// The view of all conversations, page by page.

import { get } from "./api.js";
import { field, h, heading, table } from "./dom.js";
import { metadata, time } from "./format.js";
import { pairs } from "./responses.js";
import { link as address } from "./routes.js";
import { empty, load } from "./states.js";

const PAGE = 20;

export function showConversations(place, route, signal) {
  const wanted = route.query.get("metadata") ?? "";
  const after = route.query.get("after");
  const list = h("div", { class: "results" });
  place.append(heading("Conversations"), searchForm(wanted), list);
  const read = () => get("/conversations", { limit: PAGE, after, ...pairs(wanted) }, signal);
  load(list, "Reading the conversations…", read, (page) => drawPage(page, wanted, after));
}

function searchForm(wanted) {
  const data = h("textarea", { rows: "2", placeholder: "team=search" }, wanted);
  const submit = (event) => {
    event.preventDefault();
    location.hash = address("conversations", null, { metadata: data.value.trim() });
  };
  return h(
    "form",
    { class: "search", submit, "aria-label": "Search" },
    field("Metadata", data, "key=value, one in each line"),
    h("p", { class: "actions" }, h("button", { type: "submit" }, "Search")),
  );
}

function drawPage(page, wanted, after) {
  if (page.data.length === 0 && !page.has_more) {
    if (wanted || after) return empty("No conversation matches. ", h("a", { href: address("conversations") }, "Show all."));
    return empty(
      "This tenant has no conversations yet. Responses that continue each other by previous_response_id are below ",
      h("a", { href: address("responses") }, "Responses."),
    );
  }
  return [
    table("Conversations, the newest first", COLUMNS, page.data),
    h(
      "nav",
      { class: "pages", "aria-label": "Pages" },
      after && h("a", { class: "button", href: address("conversations", null, { metadata: wanted }) }, "First page"),
      page.has_more &&
        h("a", { class: "button", href: address("conversations", null, { metadata: wanted, after: page.last_id }) }, "Next page"),
    ),
  ];
}

const COLUMNS = [
  ["Conversation", (link) => h("a", { href: address("conversations", link.id) }, h("code", {}, link.id))],
  ["Target", (link) => link.target],
  ["Created", (link) => time(link.created_at)],
  ["Metadata", (link) => metadata(link.metadata) || "–"],
];
