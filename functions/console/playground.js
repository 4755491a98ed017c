// The view that sends a request and shows its answer while it arrives.

import { get, send } from "./api.js";
import { button, field, h, heading, select } from "./dom.js";
import { link as address } from "./routes.js";
import { empty, failure, load } from "./states.js";
import { Turn } from "./turn.js";

export function showPlayground(place, route, signal) {
  const content = h("div", {});
  place.append(heading("Playground"), content);
  const read = () => get("/models", {}, signal);
  load(content, "Reading the models…", read, ({ data }) => {
    const names = data.map((model) => model.id);
    if (names.length === 0) return empty("This key may call no model that is served.");
    return drawForm(names, route.query, signal);
  });
}

function drawForm(names, query, signal) {
  const wanted = query.get("model");
  const options = names.includes(wanted) || !wanted ? names : [wanted, ...names];
  const parts = {
    model: select(options.map((name) => [name, name]), wanted ?? names[0]),
    instructions: h("textarea", { rows: "2" }),
    input: h("textarea", { rows: "4", required: true }),
    sendButton: h("button", { type: "submit", class: "main" }, "Send"),
    stopButton: button("Stop", () => {}, { disabled: true }),
    previous: h("div", { class: "previous" }),
    turns: h("div", { class: "turns", role: "log", "aria-label": "Answers" }),
  };
  const state = { previous: null };
  const follow = (id) => {
    state.previous = id;
    drawPrevious(parts.previous, id, () => follow(null));
  };
  const submit = (event) => {
    event.preventDefault();
    run(parts, state.previous, follow, signal);
  };
  follow(query.get("previous"));
  parts.input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) parts.input.form.requestSubmit();
  });
  return [
    h(
      "form",
      { class: "playground", submit, "aria-label": "Request" },
      field("Model", parts.model),
      field("Instructions", parts.instructions, "Optional: how the model should answer"),
      field("Input", parts.input, "Ctrl and Enter send it"),
      parts.previous,
      h("p", { class: "actions" }, parts.sendButton, parts.stopButton),
    ),
    parts.turns,
  ];
}

function drawPrevious(place, id, forget) {
  if (!id) return place.replaceChildren(h("p", { class: "hint" }, "The next request begins a new chain."));
  place.replaceChildren(
    h("p", {}, "Continues ", h("a", { href: address("responses", id) }, h("code", {}, id)), " "),
    button("Begin a new chain", forget),
  );
}

async function run(parts, previous, follow, signal) {
  const stop = new AbortController();
  const body = { model: parts.model.value, input: parts.input.value, stream: true };
  if (parts.instructions.value) body.instructions = parts.instructions.value;
  if (previous) body.previous_response_id = previous;
  const turn = new Turn(body.input);
  const onStop = () => stop.abort();
  parts.turns.prepend(turn.element);
  parts.sendButton.disabled = true;
  parts.stopButton.disabled = false;
  parts.stopButton.addEventListener("click", onStop);
  try {
    await turn.read(await send("/responses", { method: "POST", body, signal: AbortSignal.any([signal, stop.signal]) }));
    if (turn.canContinue) follow(turn.id);
  } catch (error) {
    if (error.name === "AbortError") turn.end("You stopped it. The provider may still complete and bill it.");
    else turn.fail(failure(error));
  } finally {
    parts.sendButton.disabled = false;
    parts.stopButton.disabled = true;
    parts.stopButton.removeEventListener("click", onStop);
  }
}
