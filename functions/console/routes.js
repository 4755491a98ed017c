// Addresses of the views, in the fragment of the URL: #/responses/resp_1?model=gpt-5

export function parse(hash) {
  const [place, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, ...ids] = place.split("/");
  return { view, id: ids.length ? decode(ids.join("/")) : null, query: new URLSearchParams(query) };
}

export function link(view, id = null, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // of an address that somebody has changed
  }
}
