// Builds the request that a form describes, for fetch and for curl.

const KEY_VARIABLE = "$ANTIPHON_API_KEY"; // the key itself does not belong in a shell's history

function pairs({ name, schema, style }, value) {
  if (style === "deepObject") {
    return [...new URLSearchParams(value)].map(([key, inner]) => [`${name}[${key}]`, inner]);
  }
  const values = schema.type === "array" ? value.split(",") : [value];
  return values.map((each) => [name, each.trim()]);
}

export function buildRequest(operation, entries, body, state) {
  const filled = entries.filter(({ value }) => value !== "");
  const of = (place) => filled.filter(({ parameter }) => parameter.in === place);
  const path = of("path").reduce((url, { parameter, value }) =>
    url.replace(`{${parameter.name}}`, encodeURIComponent(value.trim())), operation.path);
  const query = new URLSearchParams(
    of("query").flatMap(({ parameter, value }) => pairs(parameter, value))).toString();
  const headers = Object.fromEntries(of("header").map(({ parameter, value }) =>
    [parameter.name, value.trim()]));
  if (operation.needsKey && state.key()) headers.Authorization = `Bearer ${state.key()}`;
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  const url = `${state.server()}${path}${query && "?"}${query}`;
  return { method: operation.method, url, headers, body };
}

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function curlCommand({ method, url, headers, body }) {
  const lines = [`curl --no-buffer --request ${method} ${quote(url)}`];
  for (const [name, value] of Object.entries(headers)) {
    lines.push(name === "Authorization"
      ? `--header "Authorization: Bearer ${KEY_VARIABLE}"`
      : `--header ${quote(`${name}: ${value}`)}`);
  }
  if (body instanceof FormData) {
    for (const [name, value] of body) {
      lines.push(`--form ${quote(`${name}=${value.name ? `@${value.name}` : value}`)}`);
    }
  } else if (body) lines.push(`--data ${quote(body)}`);
  return lines.join(" \\\n  ");
}
