// One create for each input it is told, with the SDK's own retries.
import { openai, raised, tell } from "./gateway.mjs";

const { responses } = openai();
const seen = [];
for (const input of process.argv.slice(2)) {
  const error = await raised(responses.create({ model: "gpt-5", input }));
  seen.push(error && error.status);
}
tell(seen);
