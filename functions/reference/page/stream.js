// Reads server-sent events from a response, each as soon as its last line has arrived.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

const LINE_END = /\r\n|\n|\r(?!$)/; // a CR at the end may be the first half of CRLF

async function* readLines(stream) {
  let rest = "";
  for await (const chunk of chunksOf(stream)) {
    const lines = (rest + chunk).split(LINE_END);
    rest = lines.pop();
    yield* lines;
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}

// Not every browser can iterate over a stream.
async function* chunksOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let got = await reader.read(); !got.done; got = await reader.read()) yield got.value;
}

export async function* readEvents(stream) {
  let type = "message";
  let data = [];
  for await (const line of readLines(stream)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "event") type = value;
    if (name === "data") data.push(value);
    if (line !== "") continue;
    if (data.length) yield { type, data: data.join("\n") };
    type = "message";
    data = [];
  }
}
