// Starts the console: the reader's key, and the view that the address names.

import { forgetKey, get, readKey, storeKey } from "./api.js";
import { button, h, heading } from "./dom.js";
import { link, parse } from "./routes.js";
import { failure } from "./states.js";
import { showConversations } from "./conversations.js";
import { showFiles } from "./files.js";
import { showLimits } from "./limits.js";
import { showPlayground } from "./playground.js";
import { showResponses } from "./responses.js";
import { forgetTree, showTree } from "./tree.js";
import { showUsage } from "./usage.js";

const VIEWS = {
  responses: ["Responses", (place, route, signal) => (route.id ? showTree : showResponses)(place, route, signal)],
  conversations: [
    "Conversations",
    (place, route, signal) => (route.id ? showTree : showConversations)(place, route, signal),
  ],
  files: ["Files", showFiles],
  usage: ["Usage", showUsage],
  limits: ["Limits", showLimits],
  playground: ["Playground", showPlayground],
};
const main = document.getElementById("content");
const keyPlace = document.getElementById("key");
let current = new AbortController(); // of the view that is open

function open({ focus }) {
  current.abort();
  current = new AbortController();
  const route = parse(location.hash);
  const view = Object.hasOwn(VIEWS, route.view) ? route.view : "responses";
  const [name, show] = VIEWS[view];
  document.title = `${name} – Antiphon console`;
  showNavigation(view);
  if (!readKey()) return showWelcome();
  main.replaceChildren();
  show(main, { ...route, view }, current.signal);
  if (focus) (main.querySelector("[data-focus]") ?? main.querySelector("h1"))?.focus();
}

function showNavigation(view) {
  const links = Object.entries(VIEWS).map(([name, [text]]) =>
    h("a", { href: link(name), "aria-current": name === view && "page" }, text),
  );
  document.getElementById("views").replaceChildren(...links);
}

function showWelcome() {
  main.replaceChildren(
    heading("Enter your key"),
    h("p", {}, "The console shows what the tenant of your key has done with this gateway, and lets you try a model."),
    h("p", {}, "The key stays in this tab until you close it or forget it. It is sent to this gateway only."),
  );
}

function showKeyForm() {
  const input = h("input", {
    type: "password",
    id: "key-field",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    placeholder: "Key of this gateway",
  });
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) useKey(input.value.trim());
  };
  keyPlace.replaceChildren(
    h("form", { submit }, h("label", { for: "key-field" }, "Key"), input, h("button", { type: "submit" }, "Use key")),
  );
}

function useKey(key) {
  storeKey(key);
  showOwner();
  open({ focus: true });
}

async function showOwner() {
  const owner = h("span", { class: "owner" }, "Key is set");
  const forget = () => {
    forgetKey();
    forgetTree();
    showKeyForm();
    open({ focus: true });
  };
  keyPlace.replaceChildren(owner, button("Forget key", forget));
  try {
    const { tenant } = await get("/limits");
    owner.replaceChildren("Tenant ", h("strong", {}, tenant));
  } catch (error) {
    owner.replaceChildren(error.status === 401 ? "Key is not valid" : "Key is set");
  }
}

window.addEventListener("hashchange", () => open({ focus: true }));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment names the view
  main.focus();
});
window.addEventListener("unhandledrejection", ({ reason }) => {
  if (reason?.name !== "AbortError") main.append(failure(reason));
});
if (readKey()) showOwner();
else showKeyForm();
open({ focus: false });
