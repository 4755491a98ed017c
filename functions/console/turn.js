// One request of the playground and its answer, delta by delta, with all events that arrived.

import { ApiError, readEvents } from "./api.js";
import { h } from "./dom.js";
import { milliseconds, tokens } from "./format.js";
import { link as address } from "./routes.js";
import { failure } from "./states.js";

const MOST_EVENTS = 1000; // that stay on the page
const DELTAS = new Set(["response.output_text.delta", "response.refusal.delta"]);
const ENDS = new Set(["response.completed", "response.incomplete", "response.failed"]);

export class Turn {
  id = null;
  canContinue = false;
  #begun = performance.now();
  #count = 0;
  #hasEnded = false;
  #problem = null;
  #text = h("p", { class: "text", "data-output": true });
  #facts = h("p", { class: "hint", "data-facts": true }, "Sent. Waiting for the first event…");
  #events = h("ol", { class: "events", tabindex: "0", "aria-label": "Events" });
  #summary = h("summary", {}, "Events: 0");
  #problems = h("div", {});

  constructor(input) {
    this.element = h(
      "article",
      { class: "turn", "aria-busy": "true" },
      h("h2", { class: "role" }, "Input"),
      h("p", { class: "text" }, input),
      h("h2", { class: "role" }, "Answer"),
      this.#text,
      this.#problems,
      this.#facts,
      h("details", {}, this.#summary, this.#events),
    );
  }

  // Returns when the stream has ended; throws ApiError where it ended without an end event.
  async read(response) {
    const target = response.headers.get("x-antiphon-target");
    const attempts = response.headers.get("x-antiphon-attempts");
    let first = null;
    for await (const event of readEvents(response)) {
      first ??= performance.now() - this.#begun;
      this.#add(event, performance.now() - this.#begun);
      this.#facts.textContent = [
        target && `target ${target}`,
        attempts && `attempts ${attempts}`,
        `first event after ${milliseconds(first)}`,
      ].filter(Boolean).join(" · ");
    }
    if (!this.#hasEnded) throw this.#problem ?? new ApiError("The stream ended without an end event.");
    this.end(`complete after ${milliseconds(performance.now() - this.#begun)}`);
  }

  end(text) {
    this.element.removeAttribute("aria-busy");
    this.#facts.append(` · ${text}`);
  }

  fail(element) {
    this.element.removeAttribute("aria-busy");
    this.#facts.textContent = "It failed.";
    this.#problems.replaceChildren(element);
  }

  #add({ event, data }, after) {
    this.#summary.textContent = `Events: ${++this.#count}`;
    if (this.#count <= MOST_EVENTS) {
      const name = h("span", { class: "event-name" }, `${milliseconds(after)} ${event}`);
      this.#events.append(h("li", {}, name, h("code", {}, data)));
    }
    const parsed = parse(data);
    if (parsed) this.#apply(parsed.type ?? event, parsed);
  }

  #apply(type, event) {
    this.id ??= event.response?.id ?? null;
    if (DELTAS.has(type)) this.#text.append(event.delta);
    if (type === "error") this.#report(event.error ?? event);
    if (ENDS.has(type)) this.#close(type, event.response);
  }

  #close(type, response) {
    this.#hasEnded = true;
    this.canContinue = type !== "response.failed" && response.store !== false;
    if (response.error) this.#report(response.error);
    if (response.incomplete_details) this.#report({ message: `Incomplete: ${response.incomplete_details.reason}` });
    const link = h("a", { href: address("responses", response.id) }, "Show it in its tree");
    this.#problems.after(h("p", { class: "hint" }, `${response.status}, ${tokens(response.usage)} tokens · `, link));
  }

  #report({ message, code }) {
    this.#problem = new ApiError(message, { code });
    this.#problems.replaceChildren(failure(this.#problem));
  }
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null; // such as `[DONE]`
  }
}
