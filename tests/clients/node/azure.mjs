// The ways to Azure OpenAI that the SDK knows: each asks for each model that is named, twice.
import { azure, key, openai, root, tell } from "./gateway.mjs";

const endpoint = root();
const apiVersion = "2025-04-01-preview";
const azureADTokenProvider = async () => key;
const ways = [
  azure({ endpoint, apiVersion, apiKey: key }),
  azure({ endpoint, apiVersion, apiKey: key, deployment: "any" }),
  azure({ endpoint, apiVersion, azureADTokenProvider }),
  azure({ baseURL: `${endpoint}/openai/v1`, apiVersion: "preview", apiKey: key }),
  openai({ baseURL: `${endpoint}/openai/v1/` }),
];

const seen = {};
for (const model of process.argv.slice(2)) {
  seen[model] = [];
  for (const { responses } of ways) {
    const whole = await responses.create({ model, input: "x" });
    const streamed = await responses.stream({ model, input: "x" }).finalResponse();
    seen[model].push([whole.status, streamed.output_text]);
  }
}
tell(seen);
