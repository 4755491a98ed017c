// The view of what the key and its tenant may use, and what is left of it.

import { get } from "./api.js";
import { button, facts, h, heading, svg } from "./dom.js";
import { bytes, dollars, number, time, until } from "./format.js";
import { load } from "./states.js";

const NAMES = {
  rpm: "Requests per minute",
  tpm: "Tokens per minute",
  streams: "Responses at the same time",
  budget_usd: "Budget",
  max_body_bytes: "Size of one request",
  max_output_tokens: "Output tokens of one request",
  max_files: "Files",
  max_file_bytes: "Size of all files",
  max_vector_stores: "Vector stores",
  max_containers: "Containers",
};
const SOURCES = { key: "this key", tenant: "all keys of the tenant", configuration: "the whole gateway" };
const NEARLY = 0.8; // of a limit: from here on its bar has another colour

export function showLimits(place, _route, signal) {
  const content = h("div", {});
  const read = () => load(content, "Reading the limits…", () => get("/limits", {}, signal), draw);
  place.append(heading("Limits"), h("p", { class: "actions" }, button("Read again", read)), content);
  read();
}

function draw(report) {
  const counted = report.data.filter((limit) => limit.used !== null);
  const others = report.data.filter((limit) => limit.used === null);
  return [
    facts([
      ["Tenant", report.tenant],
      ["Key", h("code", {}, report.key_id)],
      ["Models", report.models === null ? "all that are served" : report.models.join(", ")],
    ]),
    h("h2", {}, "Used and left"),
    counted.length
      ? h("ul", { class: "meters" }, counted.map(drawMeter))
      : h("p", { class: "notice" }, "Neither this key nor its tenant has a limit that is counted."),
    h("h2", {}, "Limits of one request"),
    facts(others.map((limit) => [nameOf(limit), `${amount(limit, limit.limit)}, for ${SOURCES[limit.source]}`])),
  ];
}

const nameOf = (limit) => {
  const name = NAMES[limit.name] ?? limit.name;
  return limit.name === "budget_usd" ? `${name} of the ${limit.period}` : name;
};

function amount(limit, value) {
  if (limit.name === "budget_usd") return dollars(value);
  return limit.name.endsWith("_bytes") ? bytes(value) : number(value);
}

function drawMeter(limit) {
  const share = Math.min(1, limit.limit ? limit.used / limit.limit : 1);
  const reset = limit.resets_at && `, new in ${until(limit.resets_at)} (${time(limit.resets_at)})`;
  return h(
    "li",
    {},
    h("p", { class: "meter-name" }, h("strong", {}, nameOf(limit)), ` for ${SOURCES[limit.source]}`),
    bar(share),
    h("p", {}, `${amount(limit, limit.used)} of ${amount(limit, limit.limit)} used, ${amount(limit, limit.remaining)} left${reset ?? ""}`),
  );
}

// The text beside it says the same, so it is hidden from screen readers.
const bar = (share) =>
  svg(
    "svg",
    { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "rest", width: 100, height: 4 }),
    svg("rect", { class: share >= NEARLY ? "used high" : "used", width: 100 * share, height: 4 }),
  );
