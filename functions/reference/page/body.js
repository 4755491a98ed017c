// The fields of a request body: a text for JSON, one field for each member of a form.

import { element, labelled } from "./element.js";
import { markdown } from "./markdown.js";

const NONE = { nodes: [], read: () => undefined };

export function bodyFields(requestBody, api) {
  if (!requestBody) return NONE;
  const [[media, content]] = Object.entries(requestBody.content);
  return media === "multipart/form-data" ? formFields(content, api) : jsonFields(content);
}

function jsonFields({ examples }) {
  const entries = Object.entries(examples ?? {});
  const texts = entries.map(([, { value }]) => JSON.stringify(value, null, 2));
  const text = element("textarea", { rows: 12, spellcheck: false, value: texts[0] ?? "" });
  const select = element("select", {}, ...entries.map(([name, { summary }], index) =>
    element("option", { value: index }, summary ?? name)));
  select.addEventListener("change", () => { text.value = texts[select.value]; });
  const choice = entries.length > 1 ? [labelled("Example", select)] : [];
  return {
    nodes: [...choice, labelled("Body, JSON", text)],
    read: () => text.value.trim() || undefined,
  };
}

function formFields({ schema }, api) {
  const { properties, required } = api.resolve(schema);
  const inputs = Object.entries(properties).map(([name, member]) => {
    const isFile = Boolean(member.contentMediaType);
    const input = element("input", { type: isFile ? "file" : "text", autocomplete: "off" });
    input.required = Boolean(required?.includes(name));
    const label = [element("code", {}, name), input.required ? ", required" : null];
    return { name, input, node: labelled(label, input, markdown(member.description)) };
  });
  return { nodes: inputs.map(({ node }) => node), read: () => readForm(inputs) };
}

function readForm(inputs) {
  const form = new FormData();
  for (const { name, input } of inputs) {
    for (const value of input.files ?? [input.value]) {
      if (value) form.append(name, value);
    }
  }
  return form;
}
