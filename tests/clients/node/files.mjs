// Files, uploads in parts, vector stores and containers, with lists read to their end.
import { toFile } from "openai";
import { openai, raised, tell } from "./gateway.mjs";

const { containers, files, responses, uploads, vectorStores } = openai();
const all = async (pages) => {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
};
const upload = async (name, text, purpose) =>
  files.create({ file: await toFile(Buffer.from(text), name), purpose });

const made = await upload("Ü.txt", "Antiphons", "vision");
const content = await files.content(made.id);
const text = await content.text();
const ids = (await all(files.list({ purpose: "vision", limit: 1 }))).map((file) => file.id);
await files.delete(made.id);
const gone = await raised(files.retrieve(made.id));

const large = Buffer.alloc(6_000_000, "Antiphons are sung by two choirs.\n");
const refused = await raised(upload("large.txt", large.subarray(0, 4_600_000), "assistants"));
const description = { bytes: large.length, filename: "large.txt", mime_type: "text/plain" };
const started = await uploads.create({ ...description, purpose: "assistants" });
const parts = [];
for (let at = 0; at < large.length; at += 4 * 1024 * 1024) {
  const data = await toFile(large.subarray(at, at + 4 * 1024 * 1024), "part");
  parts.push((await uploads.parts.create(started.id, { data })).id);
}
const completed = await uploads.complete(started.id, { part_ids: parts });

const store = await vectorStores.create({ name: "songs", file_ids: [completed.file.id] });
const batch = await vectorStores.fileBatches.uploadAndPoll(
  store.id,
  { files: [await toFile(Buffer.from("A motet"), "a.txt"), await toFile(Buffer.from("A canon"), "b.txt")] },
  { pollIntervalMs: 10 },
);
const found = await all(vectorStores.search(store.id, { query: "canon" }));
const stored = await all(vectorStores.files.list(store.id, { limit: 1 }));
await vectorStores.delete(store.id);

const container = await containers.create({ name: "node" });
const tool = { type: "code_interpreter", container: container.id };
const response = await responses.create({ model: "gpt-4.1", input: "Hello", tools: [tool] });
const [cited] = response.output.at(-1).content[0].annotations;
const result = await containers.files.content.retrieve(cited.file_id, { container_id: cited.container_id });

tell({
  name: made.filename,
  text,
  listed: ids.includes(made.id),
  gone: gone.status,
  refused: { status: refused.status, hasCode: refused.message.includes("upload_file_chunked") },
  bytes: completed.file.bytes,
  batch: [batch.status, batch.file_counts.completed],
  found: found.map((each) => each.filename),
  stored: stored.length,
  result: await result.text(),
  container: cited.container_id === container.id,
});
