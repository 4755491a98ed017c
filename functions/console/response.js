// One response: its facts, and its text, which is read from the provider only on request.

import { get, path } from "./api.js";
import { button, facts, h } from "./dom.js";
import { dollars, duration, metadata, number, time } from "./format.js";
import { isConversation } from "./lineage.js";
import { link as address } from "./routes.js";
import { empty, load } from "./states.js";

export const status = (link) => h("span", { class: "status", "data-status": link.status }, link.status);

export function showResponse(place, link, signal) {
  if (isConversation(link)) return showConversation(place, link);
  const text = h("div", {});
  const read = () =>
    load(text, "The provider is asked…", () => get(path("responses", link.id), {}, signal), (answer) => drawAnswer(answer));
  place.append(
    h("h2", { tabindex: "-1", "data-focus": true }, "Response"),
    facts(identity(link)),
    h("h3", {}, "Time"),
    facts(timing(link)),
    h("h3", {}, "Attempts"),
    attempts(link),
    h("h3", {}, "Tokens and cost"),
    facts(cost(link)),
    h("h3", {}, "Text"),
    h("p", { class: "hint" }, "The gateway does not store texts. The provider has it for stored responses only."),
    h(
      "p",
      { class: "actions" },
      button("Ask the provider for the text", read),
      link.store && h("a", { class: "button", href: address("playground", null, { previous: link.id, model: link.model }) }, "Continue it"),
    ),
    text,
  );
}

function showConversation(place, link) {
  place.append(
    h("h2", { tabindex: "-1", "data-focus": true }, "Conversation"),
    facts([
      ["Id", h("code", {}, link.id)],
      ["Target", link.target],
      ["Created", time(link.created_at)],
      ["Metadata", metadata(link.metadata)],
    ]),
    empty("Select a response in the tree to see its facts."),
  );
}

const identity = (link) => [
  ["Id", h("code", {}, link.id)],
  ["Status", status(link)],
  ["Why it has no end", link.unfinished],
  ["Model", link.model],
  ["Model at the provider", link.upstream_model],
  ["Target", link.target],
  ["Service tier", link.service_tier],
  ["Key", h("code", {}, link.key_id)],
  ["Continues", link.previous_response_id && h("a", { href: address("responses", link.previous_response_id) }, link.previous_response_id)],
  ["Conversation", link.conversation && h("a", { href: address("conversations", link.conversation) }, link.conversation)],
  ["In the background", link.background && "yes"],
  ["Stored at the provider", link.store ? "yes" : "no"],
  ["Metadata", metadata(link.metadata)],
];

const timing = (link) => [
  ["Created", time(link.created_at)],
  ["Ended", link.completed_at ? time(link.completed_at) : "not yet, or not known"],
  ["Answer, or first event, after", link.waited_ms === null ? null : `${number(link.waited_ms)} ms`],
  ["Duration", link.completed_at && duration(link.completed_at - link.created_at)],
  ["Listed until", time(link.expires_at)],
];

// A link has its attempts only where there were more than one.
function attempts(link) {
  if (!link.attempts) return h("p", {}, `One, at ${link.target}.`);
  const draw = (each) => h("li", {}, [`${each.target}: ${each.status}`, each.reason, `${number(each.ms)} ms`].filter(Boolean).join(", "));
  return h("ol", {}, link.attempts.map(draw));
}

function cost(link) {
  const usage = link.usage ?? {};
  if (!link.usage) return [["Tokens", "not known"]];
  return [
    ["Input tokens", number(usage.input_tokens)],
    ["of them cached", number(usage.input_tokens_details?.cached_tokens)],
    ["Output tokens", number(usage.output_tokens)],
    ["of them for reasoning", number(usage.output_tokens_details?.reasoning_tokens)],
    ["Cost", link.cost_usd ? dollars(link.cost_usd) : "no price is known"],
  ];
}

function drawAnswer(answer) {
  const items = answer.output ?? [];
  const problem = answer.error && h("p", { class: "notice failure" }, `${answer.error.message} (code ${answer.error.code})`);
  const drawn = items.length ? items.map(drawItem) : [empty("The response has no output.")];
  return [problem, h("div", { class: "answer", "data-answer": true }, drawn)];
}

function drawItem(item) {
  const parts = item.type === "message" ? item.content : item.type === "reasoning" ? item.summary : null;
  const texts = (parts ?? []).map((part) => part.text ?? part.refusal).filter((text) => typeof text === "string");
  if (texts.length) return h("div", {}, h("p", { class: "role" }, item.role ?? item.type), texts.map((text) => h("p", { class: "text" }, text)));
  return h("details", {}, h("summary", {}, item.type), h("pre", { tabindex: "0" }, JSON.stringify(item, null, 2)));
}
