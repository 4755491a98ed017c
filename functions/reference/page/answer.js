// Sends a request and shows the answer; events of a stream as they come.

import { element, fold } from "./element.js";
import { readEvents } from "./stream.js";

const MOST_SHOWN = 200_000; // characters of a body
const TEXT_DELTA = "response.output_text.delta";

const since = (start) => `${Math.round(performance.now() - start)} ms`;

export async function showAnswer(request, signal, result) {
  const start = performance.now();
  const status = element("p", { role: "status" }, "Sending…");
  const content = element("div");
  result.replaceChildren(status, content);
  try {
    const { url, ...options } = request;
    const response = await fetch(url, { ...options, signal, cache: "no-store" });
    const line = `${response.status} ${response.statusText}`.trim();
    status.textContent = `${line}, first byte after ${since(start)}`;
    await showBody(response, content, start);
    status.textContent = `${line}, complete after ${since(start)}`;
  } catch (error) {
    status.textContent = signal.aborted ? `Stopped after ${since(start)}`
      : `The request failed after ${since(start)}: ${error.message}`;
  }
}

async function showBody(response, content, start) {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  content.append(fold("Headers", () => [element("pre", {}, headers)]));
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) await showEvents(response.body, content, start);
  else if (/^(text\/|application\/json)/.test(type)) showText(await response.text(), content);
  else showFile(await response.blob(), content);
}

async function showEvents(stream, content, start) {
  const text = element("pre", { className: "text" });
  const events = element("ol", { className: "events" });
  content.append(element("h4", {}, "Text"), text, element("h4", {}, "Events"), events);
  for await (const event of readEvents(stream)) {
    events.append(element("li", {}, fold(
      [element("code", {}, event.type), ` ${since(start)}`],
      () => [element("pre", {}, indent(event.data))])));
    if (event.type === TEXT_DELTA) text.append(JSON.parse(event.data).delta);
  }
}

function showText(text, content) {
  const whole = indent(text);
  content.append(element("pre", {}, whole.slice(0, MOST_SHOWN)));
  if (whole.length > MOST_SHOWN) content.append(element("p", {}, "The rest is not shown."));
}

function showFile(blob, content) {
  const link = element("a", { href: URL.createObjectURL(blob), download: "content" }, "Save");
  content.append(element("p", {}, `${blob.size.toLocaleString("en")} bytes. `, link));
}

function indent(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not JSON: as it came
  }
}
