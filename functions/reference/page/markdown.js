// Shows the part of Markdown that the document's descriptions use.

import { element } from "./element.js";

const INLINE = /`+([^`]+)`+|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https:[^)\s]+)\)/g;

export function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, bold, label, href] = found;
    nodes.push(text.slice(end, found.index));
    if (code) nodes.push(element("code", {}, code.trim()));
    else if (bold) nodes.push(element("strong", {}, ...inline(bold)));
    else nodes.push(element("a", { href, rel: "noreferrer" }, ...inline(label)));
    end = found.index + whole.length;
  }
  return [...nodes, text.slice(end)];
}

export function markdown(text) {
  return (text ?? "").split(/\n{2,}/).filter((block) => block.trim()).map(showBlock);
}

function showBlock(block) {
  if (block.startsWith("|")) return showTable(block.trim().split("\n"));
  if (!block.startsWith("- ")) return element("p", {}, ...inline(block));
  const entries = block.slice(2).split(/\n- /);
  return element("ul", {}, ...entries.map((entry) => element("li", {}, ...inline(entry))));
}

function showTable([head, , ...rows]) {
  const cells = (row) => row.split("|").slice(1, -1).map((cell) => inline(cell.trim()));
  const line = (row, name, properties = {}) => element("tr", {},
    ...cells(row).map((nodes) => element(name, properties, ...nodes)));
  return element("table", {},
    element("thead", {}, line(head, "th", { scope: "col" })),
    element("tbody", {}, ...rows.map((row) => line(row, "td"))));
}
