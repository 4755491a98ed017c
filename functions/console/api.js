// Sends requests to the API of the gateway that serves this page, with the reader's key.

const STORED = "antiphon-key"; // in sessionStorage: it ends with the tab
const PREFIX = new URL(document.documentElement.dataset.api, document.baseURI);

export class ApiError extends Error {
  constructor(message, { code = null, status = null, requestId = null } = {}) {
    super(message);
    Object.assign(this, { code, status, requestId });
  }
}

export const readKey = () => sessionStorage.getItem(STORED);
export const storeKey = (key) => sessionStorage.setItem(STORED, key);
export const forgetKey = () => sessionStorage.removeItem(STORED);

// Returns the response once its headers are there; throws ApiError for every failure but a stop.
export async function send(path, { method = "GET", query, body, signal } = {}) {
  const url = new URL(path.replace(/^\//, ""), PREFIX);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.append(name, value);
  }
  const headers = { authorization: `Bearer ${readKey()}` };
  if (body) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(url, { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The gateway cannot be reached. Check your connection, then try again.");
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

export async function get(path, query, signal) {
  const response = await send(path, { query, signal });
  return response.json();
}

async function failureOf(response) {
  const about = { status: response.status, requestId: response.headers.get("x-antiphon-request-id") };
  const text = await response.text();
  try {
    const { message, code, type } = JSON.parse(text).error;
    return new ApiError(message, { ...about, code: code ?? type });
  } catch {
    return new ApiError(`The gateway answered with the status ${response.status}.`, about);
  }
}

export const path = (...parts) => `/${parts.map(encodeURIComponent).join("/")}`;

// Yields each server-sent event as { event, data } as soon as its last line is there.
export async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = { event: "message", data: [] };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data.length) yield { event: event.event, data: event.data.join("\n") };
        event = { event: "message", data: [] };
      } else if (line.startsWith("data:")) event.data.push(line.slice(5).replace(/^ /, ""));
      else if (line.startsWith("event:")) event.event = line.slice(6).trim();
    }
  }
}
