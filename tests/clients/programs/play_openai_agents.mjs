// @openai/agents, tracing off: its sessions, its runs, its stream of events.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  Agent,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  setTracingDisabled,
  tool,
} from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WRONG_KEY, describe, report } from "./cases.mjs";

setTracingDisabled(true);
const client = new OpenAI({ baseURL: BASE, apiKey: KEY });
const Weather = z.object({ city: z.enum(["Oslo"]) });
const agent = (model = "sim-text", more = {}) => new Agent({ name: "Scribe", model, ...more });

/** A runner whose client has these options. */
function runner(options = {}) {
  const openAIClient = client.withOptions(options);
  const modelProvider = new OpenAIProvider({ openAIClient, useResponses: true });
  return new Runner({ modelProvider, tracingDisabled: true });
}

const ask = async (input, { of = agent(), options = {}, ...more } = {}) =>
  runner(options).run(of, input, more);

async function create() {
  return (await ask("Hello")).finalOutput;
}

async function stream() {
  const result = await ask("Hello", { stream: true });
  const pieces = [];
  for await (const piece of result.toTextStream()) pieces.push(piece);
  return { pieces: pieces.length > 1, text: result.finalOutput };
}

async function tools() {
  const call = [];
  const getWeather = tool({
    name: "get_weather",
    description: "How the weather is.",
    parameters: Weather,
    execute: async () => {
      call.push("get_weather");
      return "snow";
    },
  });
  const of = agent("sim-function-call", { tools: [getWeather] });
  return { call, answer: (await ask("How is it in Oslo?", { of })).finalOutput };
}

async function structured() {
  const of = agent("sim-text", { outputType: Weather });
  return (await ask("Where?", { of })).finalOutput.city === "Oslo";
}

async function previous() {
  const { lastResponseId } = await ask("one");
  return (await ask("two", { previousResponseId: lastResponseId })).finalOutput;
}

async function resent() {
  const { history } = await ask("one");
  return (await ask([...history, { role: "user", content: "two" }])).finalOutput;
}

async function conversation() {
  const session = new OpenAIConversationsSession({ client });
  await ask("one", { session });
  return (await ask("two", { session })).finalOutput;
}

async function errors() {
  const hot = agent("sim-text", { modelSettings: { temperature: 9 } });
  const patient = { baseURL: COUNTED, maxRetries: 0 };
  return {
    400: await describe(() => ask("x", { of: hot })),
    401: await describe(() => ask("x", { options: { apiKey: WRONG_KEY } })),
    404: await describe(() => ask("x", { of: agent("nobody-has-it") })),
    429: await describe(() => ask(LIMITED, { of: agent("gpt-5"), options: patient })),
  };
}

async function retries() {
  const there = { of: agent("gpt-5"), options: { baseURL: COUNTED } };
  const { kind } = await describe(() => ask(FAILING, there));
  return { 500: kind, 503: (await ask(OVERLOADED, there)).finalOutput };
}

const manifest = fileURLToPath(import.meta.resolve("@openai/agents")).replace(/dist.*/, "package.json");
const { version } = JSON.parse(readFileSync(manifest));
const turns = { previous, resent, conversation };
await report(version, { create, stream, tools, structured, ...turns, errors, retries });
