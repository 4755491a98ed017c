// Vercel's AI SDK with its provider for OpenAI: openai.responses(model).
import { createOpenAI, VERSION } from "@ai-sdk/openai";
import { generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";
import { BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WRONG_KEY, describe, report } from "./cases.mjs";

const at = (baseURL, apiKey = KEY) => createOpenAI({ baseURL, apiKey });
const openai = at(BASE);
const model = openai.responses("sim-text");
const Weather = z.object({ city: z.enum(["Oslo"]) });
const user = (content) => ({ role: "user", content });

async function create() {
  return (await generateText({ model, prompt: "Hello" })).text;
}

async function stream() {
  const pieces = [];
  for await (const piece of streamText({ model, prompt: "Hello" }).textStream) pieces.push(piece);
  return { pieces: pieces.length > 1, text: pieces.join("") };
}

async function tools() {
  const call = [];
  const execute = async () => {
    call.push("get_weather");
    return "snow";
  };
  const get_weather = tool({ description: "How it is.", inputSchema: Weather, execute });
  const { text } = await generateText({
    model: openai.responses("sim-function-call"),
    prompt: "How is the weather in Oslo?",
    tools: { get_weather },
    stopWhen: isStepCount(3),
  });
  return { call, answer: text };
}

async function structured() {
  const output = Output.object({ schema: Weather });
  return (await generateText({ model, prompt: "Where?", output })).output.city === "Oslo";
}

async function previous() {
  const first = await generateText({ model, prompt: "one" });
  const { responseId: previousResponseId } = first.providerMetadata.openai;
  const providerOptions = { openai: { previousResponseId } };
  return (await generateText({ model, prompt: "two", providerOptions })).text;
}

async function resent() {
  const { response } = await generateText({ model, prompt: "one" });
  const messages = [user("one"), ...response.messages, user("two")];
  return (await generateText({ model, messages })).text;
}

async function conversation() {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const made = await fetch(`${BASE}/conversations`, { method: "POST", headers, body: "{}" });
  const providerOptions = { openai: { conversation: (await made.json()).id } };
  await generateText({ model, prompt: "one", providerOptions });
  return (await generateText({ model, prompt: "two", providerOptions })).text;
}

async function errors() {
  const ask = (settings) => generateText({ model, prompt: "x", maxRetries: 0, ...settings });
  const limited = { model: at(COUNTED).responses("gpt-5"), prompt: LIMITED };
  return {
    400: await describe(() => ask({ temperature: 9 })),
    401: await describe(() => ask({ model: at(BASE, WRONG_KEY).responses("sim-text") })),
    404: await describe(() => ask({ model: openai.responses("nobody-has-it") })),
    429: await describe(() => ask(limited)),
  };
}

/** It reads no x-should-retry: a key makes each retry safe. */
async function retries() {
  const model = at(COUNTED).responses("gpt-5");
  const send = (prompt) => {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    return generateText({ model, prompt, headers, maxRetries: 1 }); // it waits longer each time
  };
  return { 500: (await describe(() => send(FAILING))).kind, 503: (await send(OVERLOADED)).text };
}

const turns = { previous, resent, conversation };
await report(VERSION, { create, stream, tools, structured, ...turns, errors, retries });
