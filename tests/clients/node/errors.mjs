// Refusals as the SDK raises them; the last one is the provider's.
import { openai, raised, tell } from "./gateway.mjs";

const ask = { model: "gpt-5", input: "x" };
const refused = (wrong, options) => raised(openai(options).responses.create({ ...ask, ...wrong }));

tell({
  type: await refused({ temperature: "hot" }),
  streamed: await refused({ temperature: "hot", stream: true }),
  key: await refused({}, { apiKey: "sk-unknown-key-123" }),
  model: await refused({ model: "gtp-5" }),
  parent: await refused({ previous_response_id: "resp_no" }),
  provider: await refused({}),
});
