"""Builds the output of a stream from its smallest events, as a client that shows it live does."""

from copy import deepcopy

LAST_EVENT_FIELDS = {  # fields that only the last event of an item has
    "status",
    "output",
    "error",
    "tools",
    "outputs",
    "results",
    "result",
    "encrypted_content",
}
PART_TEXTS = {"output_text", "refusal", "reasoning_text", "reasoning_summary_text"}


def accumulate(events):
    """Return the output items that deltas, parts and annotations add up to."""
    output = []
    for event in events:
        name = event["type"].removeprefix("response.")
        if name == "output_item.added":
            assert event["output_index"] == len(output)
            output.append(deepcopy(event["item"]))
        elif "item_id" in event:
            item = output[event["output_index"]]
            assert event["item_id"] == item["id"]
            _apply(item, name, event)
    return output


def without_last_fields(output):
    """Return stored items without the fields that only their last event has."""
    return [{n: v for n, v in item.items() if n not in LAST_EVENT_FIELDS} for item in output]


def _apply(item, name, event):
    if name.endswith("part.added"):
        parts, index = _parts(item, event)
        assert index == len(parts)
        parts.append(deepcopy(event["part"]))
    elif name.endswith("annotation.added"):
        parts, index = _parts(item, event)
        assert event["annotation_index"] == len(parts[index]["annotations"])
        parts[index]["annotations"].append(event["annotation"])
    elif name.endswith(".delta"):
        owner, field = _text_field(item, name, event)
        owner[field] += event["delta"]
        if "logprobs" in event and "logprobs" in owner:
            owner["logprobs"] += event["logprobs"]
    elif name.endswith(".done") and "part" not in event:
        owner, field = _text_field(item, name, event)
        assert owner[field] == event[field]


def _parts(item, event):
    if "summary_index" in event:
        return item["summary"], event["summary_index"]
    return item["content"], event["content_index"]


def _text_field(item, name, event):
    """Return the part or item that a text belongs to, and the name of its field."""
    kind = name.partition(".")[0]
    if kind in PART_TEXTS:
        parts, index = _parts(item, event)
        return parts[index], "refusal" if kind == "refusal" else "text"
    return item, kind.rpartition("_")[2]
