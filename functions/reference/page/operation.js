// Shows one operation: what it does, the form to try it, and what it answers.

import { element, fold } from "./element.js";
import { showForm } from "./form.js";
import { markdown } from "./markdown.js";
import { showSchema } from "./schema.js";

function showExamples(examples, isStream) {
  return Object.entries(examples ?? {}).map(([name, { summary, value }]) =>
    fold(`Example: ${summary ?? name}`, () => [
      element("pre", {}, isStream ? value : JSON.stringify(value, null, 2)),
    ]));
}

function showContent([media, { schema, examples }], api) {
  const events = schema["x-antiphon-events"];
  const inside = () => [
    ...showSchema(schema, api),
    ...(events ? [fold("Events", () => showSchema(events.schema, api))] : []),
  ];
  return [
    fold(`Schema: ${media}`, inside),
    ...showExamples(examples, Boolean(events)),
  ];
}

function showAnswer(status, answer, api) {
  const { description, content, headers } = api.resolve(answer);
  const names = Object.keys(headers ?? {}).flatMap((name) => [", ", element("code", {}, name)]);
  return [
    element("h4", {}, status),
    ...markdown(description),
    ...(names.length
      ? [element("p", {}, element("a", { href: "#headers" }, "Headers"), ": ", ...names.slice(1))]
      : []),
    ...Object.entries(content ?? {}).flatMap((entry) => showContent(entry, api)),
  ];
}

export function showOperation(operation, api, state) {
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  return [
    element("h2", { tabIndex: -1 }, operation.summary),
    element("p", { className: "call" }, element("b", {}, operation.method), ` ${operation.path}`),
    ...markdown(operation.description),
    element("h3", {}, "Request"),
    showForm(operation, api, state),
    ...bodies.map(([media, { schema }]) =>
      fold(`Schema of the body: ${media}`, () => showSchema(schema, api))),
    element("h3", {}, "Responses"),
    ...Object.entries(operation.responses).flatMap(([status, answer]) =>
      showAnswer(status === "default" ? "Other statuses" : status, answer, api)),
  ];
}
