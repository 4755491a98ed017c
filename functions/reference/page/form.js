// The form of an operation: a field for each parameter and for the body.

import { showAnswer } from "./answer.js";
import { bodyFields } from "./body.js";
import { element, labelled } from "./element.js";
import { inline, markdown } from "./markdown.js";
import { buildRequest, curlCommand } from "./request.js";
import { typeName } from "./schema.js";

const HINTS = {
  array: "Several values are separated by commas.",
  object: "Pairs such as `team=blue`, separated by `&`.",
};

function choice(values) {
  const empty = element("option", { value: "" }, "not sent");
  return element("select", {}, empty, ...values.map((value) => element("option", { value }, value)));
}

function inputFor(schema) {
  if (schema.type === "boolean") return choice(["true", "false"]);
  if (schema.enum) return choice(schema.enum);
  return element("input", { type: "text", autocomplete: "off", spellcheck: false });
}

function parameterField(parameter) {
  const { name, schema, required, description } = parameter;
  const input = inputFor(schema);
  input.required = Boolean(required);
  const about = [...markdown(description)];
  const hint = HINTS[schema.type];
  if (hint) about.push(element("p", {}, ...inline(hint)));
  if (schema.default !== undefined && schema.type !== "object") {
    about.push(element("p", {}, `Default: ${schema.default}.`));
  }
  const label = [element("code", {}, name), ` ${parameter.in}, ${typeName(schema)}`,
    required ? ", required" : null];
  return { node: labelled(label, input, about), read: () => ({ parameter, value: input.value }) };
}

function buttons() {
  const send = element("button", { type: "submit" }, "Send");
  const stop = element("button", { type: "button", disabled: true }, "Stop");
  const curl = element("button", { type: "button" }, "Show as curl");
  return { send, stop, curl, node: element("p", {}, send, " ", stop, " ", curl) };
}

async function send(request, { send: start, stop }, result) {
  const controller = new AbortController();
  stop.onclick = () => controller.abort();
  start.disabled = true;
  stop.disabled = false;
  try {
    await showAnswer(request, controller.signal, result);
  } finally {
    start.disabled = false;
    stop.disabled = true;
  }
}

export function showForm(operation, api, state) {
  const fields = operation.parameters.map(parameterField);
  const body = bodyFields(operation.requestBody, api);
  const controls = buttons();
  const result = element("section", { className: "result", "aria-label": "Result" });
  const form = element("form", {}, ...fields.map((field) => field.node), ...body.nodes,
    controls.node, result);
  const read = () => buildRequest(operation, fields.map((field) => field.read()), body.read(), state);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(read(), controls, result);
  });
  controls.curl.onclick = () => {
    result.replaceChildren(element("pre", {}, curlCommand(read())));
  };
  return form;
}
