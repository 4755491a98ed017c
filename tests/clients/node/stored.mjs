// The rest of a response's life, and a conversation's, with lists read to their end.
import { openai, raised, tell } from "./gateway.mjs";

const { conversations, models, responses } = openai();
const all = async (pages) => {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
};

const model = "gpt-5";
const made = await responses.create({ model: "sim-queued-30s", input: "one", background: true });
const cancelled = await responses.cancel(made.id);
const first = await responses.create({ model, input: "two" });
const second = await responses.create({ model, input: "three", previous_response_id: first.id });
const retrieved = await responses.retrieve(second.id);
const items = await all(responses.inputItems.list(second.id, { limit: 1 }));
const counted = await responses.inputTokens.count({ model, input: "four", previous_response_id: first.id });
const compacted = await responses.compact({ model, input: "five" });
await responses.delete(first.id);
const gone = await raised(responses.retrieve(first.id));

const conversation = await conversations.create({ metadata: { a: "b" } });
const six = { type: "message", role: "user", content: "six" };
const added = await conversations.items.create(conversation.id, { items: [six, six, six] });
const item = await conversations.items.retrieve(added.data[0].id, { conversation_id: conversation.id });
const answered = await responses.create({ model, input: "seven", conversation: conversation.id });
const listed = await all(conversations.items.list(conversation.id, { limit: 2 }));
await conversations.items.delete(added.data[0].id, { conversation_id: conversation.id });
const updated = await conversations.update(conversation.id, { metadata: { c: "d" } });
const stored = await conversations.retrieve(conversation.id);
await conversations.delete(conversation.id);
const left = await raised(conversations.retrieve(conversation.id));

tell({
  cancelled: cancelled.status,
  retrieved: retrieved.id === second.id,
  items: items.length,
  counted: counted.input_tokens > 0,
  compacted: compacted.object,
  gone: { kind: gone.kind, status: gone.status },
  item: item.id === added.data[0].id,
  answered: answered.conversation.id === conversation.id,
  listed: listed.length,
  updated: updated.metadata,
  stored: stored.metadata,
  left: { kind: left.kind, status: left.status },
  models: (await all(models.list())).length > 0,
});
