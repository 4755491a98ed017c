// Lines of {sse, stored} on standard input: openai-node's helper must build the stored response from each stream.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import OpenAI from "openai";

let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { sse, stored } = JSON.parse(line);
  const fetch = async () => new Response(sse, { headers: { "content-type": "text/event-stream" } });
  const openai = new OpenAI({ apiKey: "x", fetch });
  const helper = openai.responses.stream({ model: "gpt-5", input: "x" });
  assert.deepEqual(asSent(await helper.finalResponse()), stored);
  count += 1;
}
process.stdout.write(`${count}\n`);

// Without what the helper adds: output_text, output_parsed, parsed, parsed_arguments.
function asSent(value) {
  if (Array.isArray(value)) return value.map(asSent);
  if (value === null || typeof value !== "object") return value;
  const sent = Object.entries(value).filter(([name]) => !/parsed|output_text/.test(name));
  return Object.fromEntries(sent.map(([name, inner]) => [name, asSent(inner)]));
}
