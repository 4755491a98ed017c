// Reads as many streams as it is told, each of them in both ways.
import { openai, read, tell } from "./gateway.mjs";

const { responses } = openai();
const [count] = process.argv.slice(2).map(Number);
const ask = { model: "gpt-5", input: "x" };

const seen = [];
for (let n = 0; n < count; n += 1) {
  const raw = await read(responses.create({ ...ask, stream: true }));
  const helper = responses.stream(ask);
  const final = helper.finalResponse();
  final.catch(() => {}); // looked at below
  const helped = await read(helper);
  const rejected = await final.then(
    () => false,
    () => true,
  );
  seen.push({ raw, helped, rejected });
}
tell(seen);
