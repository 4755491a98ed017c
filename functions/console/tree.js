// The view of one conversation or chain of responses: its tree, and the response that is selected.

import { get, path } from "./api.js";
import { button, h, heading } from "./dom.js";
import { dollars, number, time, tokens } from "./format.js";
import { build, chain, isConversation, totals } from "./lineage.js";
import { showResponse, status } from "./response.js";
import { link as address } from "./routes.js";
import { empty, load } from "./states.js";

const PAGE = 100;
const MOST_LINKS = 500; // that are read to find one response
let latest = null; // the tree that was read last, so that a step within it needs no request

export function showTree(place, route, signal) {
  const content = h("div", {});
  place.append(heading(route.view === "conversations" ? "Conversation" : "Chain of responses"), content);
  const draw = (tree) => {
    latest = tree;
    return drawTree(tree, route.id, signal, [
      tree.hasMore && button("Read more of the tree", () => read(tree)),
      button("Read the tree again", () => read()),
    ]);
  };
  const read = (earlier) => load(content, "Reading the tree…", () => readPages(route, signal, earlier), draw);
  if (latest && find(latest, route.id)) content.append(draw(latest));
  else read();
}

export const forgetTree = () => {
  latest = null;
};

const find = (tree, id) => tree.links.find((link) => link.id === id);

// Reads pages until the response is there: parents come before their children.
async function readPages(route, signal, earlier = { links: [] }) {
  const query = { limit: PAGE, after: earlier.last };
  const page = await get(`${path(route.view, route.id)}/lineage`, query, signal);
  const tree = { links: [...earlier.links, ...page.data], last: page.last_id, hasMore: page.has_more };
  const isEnough = find(tree, route.id) || tree.links.length >= MOST_LINKS || !page.has_more;
  return isEnough ? tree : readPages(route, signal, tree);
}

function drawTree(tree, id, signal, actions) {
  const detail = h("section", { class: "detail", "aria-label": "Selected" });
  const selected = find(tree, id);
  if (selected) showResponse(detail, selected, signal);
  else detail.append(empty("This response is not in the part of the tree that was read."));
  const list = h(
    "section",
    { class: "tree", "aria-label": "Tree" },
    summary(tree),
    build(tree.links).map((root) => drawChain(root, id)),
    h("p", { class: "actions" }, actions),
  );
  return h("div", { class: "columns" }, list, detail);
}

function summary(tree) {
  const { responses, tokens: used, cost } = totals(tree.links);
  const text = [`${number(responses)} responses`, `${number(used)} tokens`, cost === null ? null : dollars(cost)];
  return h("p", { class: "summary" }, text.filter(Boolean).join(" · "), tree.hasMore && " (so far)");
}

function drawBranches(nodes, selected) {
  return h(
    "ul",
    { class: "branches" },
    nodes.map((node, n) => {
      const name = nodes.length > 1 ? `Branch ${n + 1} of ${nodes.length}` : "Continued outside of the conversation";
      return h("li", {}, h("p", { class: "branch" }, name), drawChain(node, selected));
    }),
  );
}

function drawChain(start, selected) {
  return h(
    "ol",
    { class: "chain" },
    chain(start).map(({ node, branches }) =>
      h("li", {}, drawStep(node.link, selected), branches.length > 0 && drawBranches(branches, selected)),
    ),
  );
}

function drawStep(link, selected) {
  const view = isConversation(link) ? "conversations" : "responses";
  const lines = isConversation(link)
    ? [h("span", { class: "what" }, "Conversation"), h("span", {}, `at ${link.target}`)]
    : [
        h("span", { class: "what" }, status(link), ` ${link.model ?? "no model"}`),
        h("span", {}, `at ${link.target} · ${tokens(link.usage)} · ${dollars(link.cost_usd)}`),
      ];
  return h(
    "a",
    { class: "step", href: address(view, link.id), "aria-current": link.id === selected && "true" },
    lines,
    h("span", { class: "id" }, link.id),
    h("span", { class: "when" }, time(link.created_at)),
  );
}
