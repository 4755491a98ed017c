"""A stream put together by its smallest events alone: what a screen shows that follows it."""

from copy import deepcopy

WITH_THE_END = {  # members that no event but the item's last one brings
    "status",
    "output",
    "error",
    "tools",
    "outputs",
    "results",
    "result",
    "encrypted_content",
}


def heard(events):
    """The output as deltas, parts and annotations tell it."""
    output = []
    for event in events:
        name = event["type"].removeprefix("response.")
        if name == "output_item.added":
            assert event["output_index"] == len(output)
            output.append(deepcopy(event["item"]))
        elif "item_id" in event:
            item = output[event["output_index"]]
            assert event["item_id"] == item["id"]
            _grow(item, name, event)
    return output


def _grow(item, name, event):
    if name.endswith("part.added"):
        parts, index = _parts(item, event)
        assert index == len(parts)
        parts.append(deepcopy(event["part"]))
    elif name.endswith("annotation.added"):
        parts, index = _parts(item, event)
        assert event["annotation_index"] == len(parts[index]["annotations"])
        parts[index]["annotations"].append(event["annotation"])
    elif name.endswith(".delta"):
        holder, member = _place(item, name, event)
        holder[member] += event["delta"]
        if "logprobs" in event and "logprobs" in holder:
            holder["logprobs"] += event["logprobs"]
    elif name.endswith(".done") and "part" not in event:
        holder, member = _place(item, name, event)
        assert holder[member] == event[member]


def _parts(item, event):
    if "summary_index" in event:
        return item["summary"], event["summary_index"]
    return item["content"], event["content_index"]


def _place(item, name, event):
    """What a text belongs to, and as which member."""
    what = name.partition(".")[0]
    if what in {"output_text", "refusal", "reasoning_text", "reasoning_summary_text"}:
        parts, index = _parts(item, event)
        return parts[index], "refusal" if what == "refusal" else "text"
    return item, what.rpartition("_")[2]


def told(output):
    """Stored items, as far as events before their last one tell of them."""
    return [{n: v for n, v in item.items() if n not in WITH_THE_END} for item in output]
