// Answers in JSON that fits a schema, parsed by the SDK: in one piece and streamed.
import { openai, tell } from "./gateway.mjs";

const { responses } = openai();
const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: { name: { const: "Ada" }, year: { type: "integer", minimum: 1815 } },
  required: ["name", "year"],
  additionalProperties: false,
};
const format = { type: "json_schema", name: "person", strict: true, schema };
const ask = { model: "sim-structured", input: "Who?", text: { format } };

const whole = await responses.parse(ask);
const streamed = await responses.stream(ask).finalResponse();
tell({
  sent: schema,
  schema: whole.text.format.schema,
  texts: [whole.output_text, streamed.output_text],
  parsed: whole.output_parsed,
});
