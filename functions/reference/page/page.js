// Loads the document that is beside this page, and shows one operation of it at a time.

import { element } from "./element.js";
import { markdown } from "./markdown.js";
import { showOperation } from "./operation.js";

const documentUrl = new URL("openapi.json", document.baseURI);
const find = (id) => document.getElementById(id);

function listOperations(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
      parameters: (operation.parameters ?? []).map(api.resolve),
      needsKey: (operation.security ?? api.security).length > 0,
    })));
}

function prepare(api) {
  const follow = (node) => node.$ref.split("/").slice(1).reduce((at, name) => at[name], api);
  // What stands beside a reference, such as a description, replaces what is behind it.
  api.resolve = (node) => (node.$ref ? { ...follow(node), ...node, $ref: undefined } : node);
  api.operations = listOperations(api);
  return api;
}

function link(operation) {
  const call = [element("b", {}, operation.method), ` ${operation.path}`];
  const entry = element("li", {}, element("a", { href: `#${operation.operationId}` },
    operation.summary, element("code", {}, ...call)));
  const { method, path, operationId, summary, description } = operation;
  entry.text = `${method} ${path} ${operationId} ${summary} ${description}`.toLowerCase();
  return entry;
}

function fillMenu(api) {
  const groups = api.tags.map((tag) => {
    const links = api.operations.filter((each) => each.tags.includes(tag.name)).map(link);
    return element("section", {}, element("h2", {}, tag.name), element("ul", {}, ...links));
  });
  find("operations").append(...groups);
  find("filter").addEventListener("input", (event) => filterMenu(groups, event.target.value));
}

function filterMenu(groups, value) {
  const words = value.toLowerCase().split(/\s+/);
  for (const group of groups) {
    const entries = [...group.querySelectorAll("li")];
    for (const entry of entries) {
      entry.hidden = !words.every((word) => entry.text.includes(word));
    }
    group.hidden = entries.every((entry) => entry.hidden);
  }
}

function showOverview(api) {
  return [
    element("h2", { tabIndex: -1 }, `${api.info.title} ${api.info.version}`),
    ...markdown(api.info.description),
    element("h3", { id: "headers" }, "Response headers"),
    element("dl", {}, ...Object.entries(api.components.headers).flatMap(([name, header]) => [
      element("dt", {}, element("code", {}, name)),
      element("dd", {}, ...markdown(header.description)),
    ])),
    element("h3", {}, "Operations"),
    element("dl", {}, ...api.tags.flatMap((tag) => [
      element("dt", {}, tag.name),
      element("dd", {}, ...markdown(tag.description)),
    ])),
  ];
}

// The last part: links to the viewer of earlier versions had a tag before the operation.
function hashId() {
  return decodeURIComponent(location.hash.slice(1)).split("/").at(-1);
}

function showRoute(api, state) {
  const id = hashId();
  const operation = api.operations.find((each) => each.operationId === id);
  find("content").replaceChildren(
    ...(operation ? showOperation(operation, api, state) : showOverview(api)));
  for (const each of find("operations").querySelectorAll("a")) {
    each.toggleAttribute("aria-current", each.hash === `#${id}` && Boolean(operation));
  }
  document.title = `${operation?.summary ?? api.info.title}: API reference`;
  return operation ? find("content").querySelector("h2") : find(id);
}

function openRoute(api, state, isWide) {
  const target = showRoute(api, state);
  find("menu").open = isWide.matches;
  scrollTo(0, 0);
  target?.scrollIntoView();
  target?.focus();
}

async function start() {
  const api = prepare(await (await fetch(documentUrl)).json());
  for (const { url } of api.servers) {
    const href = new URL(url, documentUrl).href;
    find("server").append(element("option", { value: href }, href));
  }
  find("access").addEventListener("submit", (event) => event.preventDefault());
  const state = { key: () => find("key").value.trim(), server: () => find("server").value };
  const isWide = matchMedia("(min-width: 60rem)"); // as in page.css
  isWide.addEventListener("change", () => { find("menu").open = isWide.matches; });
  fillMenu(api);
  addEventListener("hashchange", () => openRoute(api, state, isWide));
  find("menu").open = isWide.matches;
  showRoute(api, state);
}

start().catch((error) => {
  find("content").append(element("p", { role: "alert" }, `The reference cannot be shown: ${error}`));
});
