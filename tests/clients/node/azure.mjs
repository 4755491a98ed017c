// The ways to Azure OpenAI that the SDK knows: each asks for the model that is named, twice.
import { azure, key, openai, root, tell } from "./gateway.mjs";

const [model] = process.argv.slice(2);
const apiVersion = "2025-04-01-preview";
const azureADTokenProvider = async () => key;
const ways = [
  azure({ endpoint: root, apiVersion, apiKey: key }),
  azure({ endpoint: root, apiVersion, apiKey: key, deployment: "any" }),
  azure({ endpoint: root, apiVersion, azureADTokenProvider }),
  azure({ baseURL: `${root}/openai/v1`, apiVersion: "preview", apiKey: key }),
  openai({ baseURL: `${root}/openai/v1/` }),
];

const seen = [];
for (const { responses } of ways) {
  const whole = await responses.create({ model, input: "x" });
  const streamed = await responses.stream({ model, input: "x" }).finalResponse();
  seen.push([whole.status, streamed.output_text]);
}
tell(seen);
