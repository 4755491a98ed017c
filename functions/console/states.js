// What a view shows while it loads, when it has failed, and when there is nothing.

import { button, h } from "./dom.js";

export const empty = (...text) => h("p", { class: "notice" }, text);

const loading = (text) => h("p", { class: "notice loading", role: "status" }, text);

export function failure(error, retry) {
  const details = [
    error.status && `Status ${error.status}`,
    error.code && `code ${error.code}`,
    error.requestId && `request ${error.requestId}`,
  ].filter(Boolean);
  return h(
    "div",
    { class: "notice failure", role: "alert" },
    h("p", {}, error.message),
    details.length > 0 && h("p", { class: "details" }, details.join(", ")),
    error.status === 401 && h("p", {}, "Choose “Forget key” and enter a valid key of this gateway."),
    retry && button("Try again", retry),
  );
}

// Fills `place` with what `draw` makes of the result of `task`.
export async function load(place, text, task, draw) {
  place.replaceChildren(loading(text));
  place.setAttribute("aria-busy", "true");
  try {
    const drawn = draw(await task());
    place.replaceChildren(...[drawn].flat().filter(Boolean));
  } catch (error) {
    if (error.name === "AbortError") return;
    place.replaceChildren(failure(error, () => load(place, text, task, draw)));
  } finally {
    place.removeAttribute("aria-busy");
  }
}
