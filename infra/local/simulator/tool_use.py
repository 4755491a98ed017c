"""What the use of a hosted tool adds to a response."""

from dataclasses import dataclass, field

from infra.local.simulator.items import Json

_PLACES = ("index", "start_index", "end_index")  # positions of annotations in their text


@dataclass(frozen=True)
class ToolUse:
    """The items of the calls, and what the message after them says about their results."""

    items: list[Json] = field(default_factory=list)
    text: str = ""
    annotations: list[Json] = field(default_factory=list)
    is_waiting: bool = False  # for the user's approval: no message follows

    def add_to(self, message: Json) -> Json:
        """Returns the message with this text behind its own."""
        part = message["content"][0]
        moved = [_move(annotation, len(part["text"])) for annotation in self.annotations]
        text = part["text"] + self.text
        return {**message, "content": [{**part, "text": text, "annotations": moved}]}

    def __add__(self, other: "ToolUse") -> "ToolUse":
        annotations = [_move(annotation, len(self.text)) for annotation in other.annotations]
        return ToolUse(
            [*self.items, *other.items],
            self.text + other.text,
            [*self.annotations, *annotations],
            self.is_waiting or other.is_waiting,
        )


def _move(annotation: Json, count: int) -> Json:
    places = {key: annotation[key] + count for key in _PLACES if key in annotation}
    return {**annotation, **places}
