// Answers event by event: raw iteration, and the helper with its snapshots and final response.
import { openai, tell } from "./gateway.mjs";

const { responses } = openai();
const ask = { model: "sim-text", input: "Hello" };

const events = [];
for await (const event of await responses.create({ ...ask, stream: true })) events.push(event);

const helper = responses.stream(ask);
let text = "";
helper.on("response.output_text.delta", (event) => (text += event.delta));
const final = await helper.finalResponse();

const deltas = events.filter((event) => event.type === "response.output_text.delta");
tell({
  types: [events[0].type, events.at(-1).type],
  numbers: events.map((event) => event.sequence_number),
  deltas: deltas.map((event) => event.delta).join(""),
  snapshot: text,
  final: { status: final.status, text: final.output_text },
});
