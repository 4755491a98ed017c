// Makes elements. Data becomes text or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";

const apply = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

// h("p", { class: "note", click: open }, "text", element, [more])
export const h = (tag, attributes = {}, ...children) =>
  apply(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  apply(document.createElementNS(SVG, tag), attributes, children);

export const heading = (text) => h("h1", { tabindex: "-1" }, text);

export const button = (text, click, attributes = {}) =>
  h("button", { type: "button", click, ...attributes }, text);

// A form field below its label.
export const field = (label, input, hint) => {
  const id = `field-${label.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  input.id = id;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
};

export const select = (options, chosen, attributes = {}) =>
  h(
    "select",
    attributes,
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );

// Names and values; a value that is null, false or empty is left out.
export const facts = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs
      .filter(([, value]) => value || value === 0)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );

// `columns`: [heading, cell of a row, "number" for numbers].
export const table = (caption, columns, rows) =>
  h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, columns.map(([name, , kind]) => h("th", { scope: "col", class: kind }, name)))),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h("tr", {}, columns.map(([name, cell, kind]) => h("td", { class: kind, "data-name": name }, cell(row)))),
        ),
      ),
    ),
  );
