"""The server-sent events of a streamed response, as shapes that share their members."""

from dataclasses import dataclass, field

from infra.reference.schemas import Schema, ref

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
OBJECT: Schema = {"type": "object", "additionalProperties": True}
NUMBERED = {"sequence_number": NUMBER}
OF_ITEM = {"item_id": TEXT, "output_index": NUMBER}
OF_PART = {**OF_ITEM, "content_index": NUMBER}
OF_SUMMARY = {**OF_ITEM, "summary_index": NUMBER}
OF_COMMAND = {"output_index": NUMBER, "command_index": NUMBER}
LOGPROBS: Schema = {"type": "array", "items": OBJECT}


@dataclass(frozen=True)
class Shape:
    """Event types with the same members; a type is named without `response.` in front."""

    about: str
    types: tuple[str, ...]
    members: dict[str, Schema] = field(default_factory=dict)


def _calls(*kinds: str) -> tuple[str, ...]:
    """`web_search: in_progress searching` is web_search_call.in_progress and so on."""
    rows = (kind.split(": ") for kind in kinds)
    return tuple(f"{name}.{step}" for name, steps in rows for step in steps.split())


SHAPES = {
    "ResponseEvent": Shape(
        "The response's state; `completed`, `failed` and `incomplete` are terminal.",
        ("created", "queued", "in_progress", "completed", "failed", "incomplete"),
        {"response": ref("Response")},
    ),
    "OutputItemEvent": Shape(
        "An output item begins, or is done.",
        ("output_item.added", "output_item.done"),
        {"output_index": NUMBER, "item": ref("OutputItem")},
    ),
    "ContentPartEvent": Shape(
        "A part of an item's content begins, or is done.",
        ("content_part.added", "content_part.done"),
        {**OF_PART, "part": OBJECT},
    ),
    "TextDeltaEvent": Shape(
        "A piece of the text, the refusal or the reasoning.",
        ("output_text.delta", "refusal.delta", "reasoning_text.delta"),
        {**OF_PART, "delta": TEXT},
    ),
    "TextDoneEvent": Shape(
        "The whole text of a part.",
        ("output_text.done", "reasoning_text.done"),
        {**OF_PART, "text": TEXT},
    ),
    "RefusalDoneEvent": Shape(
        "The whole refusal.", ("refusal.done",), {**OF_PART, "refusal": TEXT}
    ),
    "AnnotationEvent": Shape(
        "A citation, a file or another note to the text.",
        ("output_text.annotation.added",),
        {**OF_PART, "annotation_index": NUMBER, "annotation": OBJECT},
    ),
    "SummaryPartEvent": Shape(
        "A part of the reasoning's summary begins, or is done.",
        ("reasoning_summary_part.added", "reasoning_summary_part.done"),
        {**OF_SUMMARY, "part": OBJECT},
    ),
    "SummaryDeltaEvent": Shape(
        "A piece of the reasoning's summary.",
        ("reasoning_summary_text.delta",),
        {**OF_SUMMARY, "delta": TEXT},
    ),
    "SummaryDoneEvent": Shape(
        "The whole text of a part of the summary.",
        ("reasoning_summary_text.done",),
        {**OF_SUMMARY, "text": TEXT},
    ),
    "CallDeltaEvent": Shape(
        "A piece of what a tool is called with.",
        (
            "function_call_arguments.delta",
            "custom_tool_call_input.delta",
            "mcp_call_arguments.delta",
            "code_interpreter_call_code.delta",
        ),
        {**OF_ITEM, "delta": TEXT},
    ),
    "ArgumentsDoneEvent": Shape(
        "All arguments of a call.",
        ("function_call_arguments.done", "mcp_call_arguments.done"),
        {**OF_ITEM, "arguments": TEXT},
    ),
    "CustomInputDoneEvent": Shape(
        "The whole input of a custom tool.",
        ("custom_tool_call_input.done",),
        {**OF_ITEM, "input": TEXT},
    ),
    "CodeDoneEvent": Shape(
        "The whole code that the interpreter runs.",
        ("code_interpreter_call_code.done",),
        {**OF_ITEM, "code": TEXT},
    ),
    "ToolProgressEvent": Shape(
        "How far a hosted tool is.",
        _calls(
            "file_search_call: in_progress searching completed",
            "web_search_call: in_progress searching completed",
            "code_interpreter_call: in_progress interpreting completed",
            "mcp_call: in_progress completed failed",
            "mcp_list_tools: in_progress completed failed",
            "image_generation_call: in_progress generating completed",
            "compaction: compacting",
        ),
        OF_ITEM,
    ),
    "PartialImageEvent": Shape(
        "An image as far as it is painted.",
        ("image_generation_call.partial_image",),
        {**OF_ITEM, "partial_image_index": NUMBER, "partial_image_b64": TEXT},
    ),
    "ShellCommandEvent": Shape(
        "A shell command begins, grows by a `delta`, or is done.",
        ("shell_call_command.added", "shell_call_command.delta", "shell_call_command.done"),
        OF_COMMAND,
    ),
    "ShellOutputEvent": Shape(
        "What a shell command printed: a `delta`, or all `output`.",
        ("shell_call_output_content.delta", "shell_call_output_content.done"),
        {**OF_COMMAND, "item_id": TEXT},
    ),
    "AudioEvent": Shape(
        "Spoken output or its transcript: a `delta`, or its end.",
        ("audio.delta", "audio.done", "audio.transcript.delta", "audio.transcript.done"),
    ),
}
