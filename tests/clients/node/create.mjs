// Answers in one piece: a chain of responses, a function's round trip, headers, unknown keys.
import { openai, tell } from "./gateway.mjs";

const { responses } = openai();
const weather = {
  type: "function",
  name: "get_weather",
  parameters: {
    type: "object",
    properties: { city: { type: "string", enum: ["Oslo"] } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};

const metadata = { team: "blue" };
const first = await responses.create({ model: "sim-text", input: "one", metadata });
const more = { previous_response_id: first.id, client_metadata: { a: 1 } }; // the second: unknown
const { data: second, response, request_id } = await responses
  .create({ model: "sim-text", input: "two", ...more })
  .withResponse();

const ask = { model: "sim-function-call", tools: [weather] };
const asked = await responses.create({ ...ask, input: "How is the weather in Oslo?" });
const [call] = asked.output;
const output = { type: "function_call_output", call_id: call.call_id, output: "snow" };
const previous_response_id = asked.id;
const answered = await responses.create({ ...ask, input: [output], previous_response_id });

tell({
  first: { status: first.status, text: first.output_text, metadata: first.metadata },
  second: { text: second.output_text, follows: second.previous_response_id === first.id },
  headers: {
    target: response.headers.get("x-antiphon-target"),
    id: response.headers.get("x-antiphon-request-id"),
    request: response.headers.get("x-request-id") === request_id,
  },
  call: { name: call.name, arguments: JSON.parse(call.arguments) },
  answered: answered.output_text,
});
