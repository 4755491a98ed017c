// The view of what the tenant has stored at providers: files and vector stores.

import { get } from "./api.js";
import { button, h, heading, table } from "./dom.js";
import { bytes, number, time } from "./format.js";
import { empty, load } from "./states.js";

const PAGE = 20;
const KINDS = [
  {
    path: "/files",
    title: "Files",
    nothing: "This tenant has no files.",
    columns: [
      ["File", (file) => file.filename ?? "–"],
      ["Id", (file) => h("code", {}, file.id)],
      ["Purpose", (file) => file.purpose ?? "–"],
      ["Size", (file) => bytes(file.bytes), "number"],
      ["Created", (file) => time(file.created_at)],
      ["Expires", (file) => (file.expires_at ? time(file.expires_at) : "never")],
    ],
  },
  {
    path: "/vector_stores",
    title: "Vector stores",
    nothing: "This tenant has no vector stores.",
    columns: [
      ["Name", (store) => store.name || "–"],
      ["Id", (store) => h("code", {}, store.id)],
      ["Status", (store) => store.status ?? "–"],
      ["Files", (store) => number(store.file_counts?.total), "number"],
      ["Size", (store) => bytes(store.usage_bytes), "number"],
      ["Created", (store) => time(store.created_at)],
      ["Last used", (store) => time(store.last_active_at)],
    ],
  },
];

export function showFiles(place, _route, signal) {
  place.append(
    heading("Files and vector stores"),
    h("p", { class: "hint" }, "These are stored at the providers. Each list is read from the gateway, and its details from them."),
  );
  for (const kind of KINDS) {
    const list = h("div", { class: "results" });
    place.append(h("h2", {}, kind.title), list);
    readPage(list, kind, [], signal);
  }
}

function readPage(list, kind, before, signal) {
  const read = () => get(kind.path, { limit: PAGE, after: before.at(-1)?.id }, signal);
  load(list, `Reading the ${kind.title.toLowerCase()}…`, read, (page) => {
    const all = [...before, ...page.data];
    if (all.length === 0) return empty(kind.nothing);
    const more = button(`Show more ${kind.title.toLowerCase()}`, () => readPage(list, kind, all, signal));
    return [table(`${kind.title}, the newest first`, kind.columns, all), page.has_more && h("p", { class: "actions" }, more)];
  });
}
