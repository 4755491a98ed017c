// The tree of a lineage: which response continues which.

// Returns the nodes without a parent in the list, each as { link, children }, oldest first.
export function build(links) {
  const nodes = new Map(links.map((link) => [link.id, { link, children: [] }]));
  const roots = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.link.previous_response_id) ?? nodes.get(node.link.conversation);
    if (parent && parent !== node) parent.children.push(node);
    else roots.push(node);
  }
  return roots;
}

// Returns what follows one after the other from a node on, each as { node, branches }: the turns of
// a conversation, or responses that are continued once. Where there are branches, the chain ends.
export function chain(start) {
  if (isConversation(start.link)) {
    const turns = start.children.map((node) => ({ node, branches: node.children }));
    return [{ node: start, branches: [] }, ...turns];
  }
  const steps = [];
  let node = start;
  while (node.children.length === 1) {
    steps.push({ node, branches: [] });
    [node] = node.children;
  }
  return [...steps, { node, branches: node.children }];
}

export const isConversation = (link) => link.object === "conversation.link";

export function totals(links) {
  const responses = links.filter((link) => !isConversation(link));
  const sum = (read) => responses.reduce((total, link) => total + (Number(read(link)) || 0), 0);
  return {
    responses: responses.length,
    tokens: sum((link) => link.usage?.total_tokens),
    cost: responses.some((link) => link.cost_usd) ? sum((link) => link.cost_usd) : null,
  };
}
