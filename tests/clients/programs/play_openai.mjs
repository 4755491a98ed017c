// openai-node.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { VERSION } from "openai/version";
import { z } from "zod";
import { BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WRONG_KEY, describe, report } from "./cases.mjs";

const client = new OpenAI({ baseURL: BASE, apiKey: KEY });
const counted = client.withOptions({ baseURL: COUNTED });
const { conversations, responses } = client;
const Weather = z.object({ city: z.enum(["Oslo"]) });
const model = "sim-text";
const user = (content) => ({ role: "user", content });

const tool = {
  type: "function",
  name: "get_weather",
  parameters: z.toJSONSchema(Weather),
  strict: true,
};

async function create() {
  return (await responses.create({ model, input: "Hello" })).output_text;
}

async function stream() {
  const deltas = [];
  const events = responses.stream({ model, input: "Hello" });
  for await (const event of events) {
    if (event.type === "response.output_text.delta") deltas.push(event.delta);
  }
  const { output_text } = await events.finalResponse();
  return { pieces: deltas.length > 1, text: output_text };
}

async function tools() {
  const ask = { model: "sim-function-call", tools: [tool] };
  const first = await responses.create({ ...ask, input: "How is the weather in Oslo?" });
  const [call] = first.output;
  const input = [{ type: "function_call_output", call_id: call.call_id, output: "snow" }];
  const second = await responses.create({ ...ask, input, previous_response_id: first.id });
  return { call: [call.name], answer: second.output_text };
}

async function structured() {
  const text = { format: zodTextFormat(Weather, "weather") };
  return (await responses.parse({ model, input: "Where?", text })).output_parsed.city === "Oslo";
}

async function previous() {
  const { id } = await responses.create({ model, input: "one" });
  return (await responses.create({ model, input: "two", previous_response_id: id })).output_text;
}

async function resent() {
  const { output } = await responses.create({ model, input: [user("one")] });
  const input = [user("one"), ...output, user("two")];
  return (await responses.create({ model, input })).output_text;
}

async function conversation() {
  const { id } = await conversations.create();
  await responses.create({ model, input: "one", conversation: id });
  return (await responses.create({ model, input: "two", conversation: id })).output_text;
}

async function retrieve() {
  const { id } = await responses.create({ model, input: "Hello" });
  return (await responses.retrieve(id)).output_text;
}

async function remove() {
  const { id } = await responses.create({ model, input: "Hello" });
  await responses.delete(id);
  return (await describe(() => responses.retrieve(id))).kind;
}

async function cancel() {
  const ask = { model: "sim-queued-30s", input: "Hello", background: true };
  return (await responses.cancel((await responses.create(ask)).id)).status;
}

async function errors() {
  const stranger = client.withOptions({ apiKey: WRONG_KEY });
  const patient = counted.withOptions({ maxRetries: 0 });
  const input = "x";
  return {
    400: await describe(() => responses.create({ model, input, temperature: 9 })),
    401: await describe(() => stranger.responses.create({ model, input })),
    404: await describe(() => responses.create({ model: "nobody-has-it", input })),
    429: await describe(() => patient.responses.create({ model: "gpt-5", input: LIMITED })),
  };
}

async function retries() {
  const send = (input) => counted.responses.create({ model: "gpt-5", input });
  return { 500: (await describe(() => send(FAILING))).kind, 503: (await send(OVERLOADED)).output_text };
}

const stored = { retrieve, delete: remove, cancel };
const turns = { previous, resent, conversation };
await report(VERSION, { create, stream, tools, structured, ...turns, ...stored, errors, retries });
