"""Stored responses with items of every type: strategies for hypothesis, and examples."""

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.text("abcdefghij_", min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
COMPLETE_OR_NOT = st.sampled_from(["completed", "incomplete"])
END_STATUSES = st.sampled_from(["completed", "incomplete", "failed"])


def fixed(type, **members):
    return st.fixed_dictionaries({"type": st.just(type), **members})


TOKENS = st.fixed_dictionaries(
    {
        "token": TEXTS,
        "bytes": st.lists(st.integers(0, 255), max_size=4),
        "logprob": st.just(-0.5),
        "top_logprobs": st.just([]),
    }
)
ANNOTATIONS = fixed(
    "url_citation",
    url=st.just("https://example.com"),
    title=TEXTS,
    start_index=st.integers(0, 9),
    end_index=st.integers(0, 9),
) | fixed("file_path", file_id=NAMES, index=st.integers(0, 9))
ANNOTATION_LISTS = st.lists(ANNOTATIONS, max_size=3)
PARTS = st.one_of(
    fixed("output_text", text=TEXTS, annotations=ANNOTATION_LISTS, logprobs=st.just([])),
    fixed(
        "output_text",
        text=TEXTS.filter(bool),
        annotations=ANNOTATION_LISTS,
        logprobs=st.lists(TOKENS, max_size=2),
    ),
    fixed("refusal", refusal=TEXTS),
)
REASONING_PARTS = fixed("reasoning_text", text=TEXTS)
SUMMARY_PARTS = fixed("summary_text", text=TEXTS)
SOURCES = st.lists(fixed("url", url=st.just("https://example.com")), max_size=2)

ITEMS = st.one_of(
    fixed(
        "message",
        role=st.just("assistant"),
        status=COMPLETE_OR_NOT,
        content=st.lists(PARTS, max_size=3),
    ),
    fixed(
        "reasoning",
        summary=st.lists(SUMMARY_PARTS, max_size=3),
        content=st.lists(REASONING_PARTS, max_size=2),
        encrypted_content=st.none() | TEXTS,
    ),
    fixed("reasoning", summary=st.lists(SUMMARY_PARTS, max_size=2)),
    fixed("function_call", call_id=NAMES, name=NAMES, arguments=TEXTS, status=COMPLETE_OR_NOT),
    fixed("custom_tool_call", call_id=NAMES, name=NAMES, input=TEXTS),
    fixed(
        "mcp_call",
        server_label=NAMES,
        name=NAMES,
        arguments=TEXTS,
        output=st.none() | TEXTS,
        error=st.none() | st.just({"type": "mcp_tool_execution_error", "content": []}),
        status=END_STATUSES,
    ),
    fixed(
        "mcp_list_tools",
        server_label=NAMES,
        tools=st.lists(st.fixed_dictionaries({"name": NAMES, "input_schema": JSON}), max_size=2),
        error=st.none() | TEXTS,
    ),
    fixed(
        "code_interpreter_call",
        container_id=NAMES,
        code=st.none() | TEXTS,
        outputs=st.none() | st.lists(fixed("logs", logs=TEXTS), max_size=2),
        status=END_STATUSES,
    ),
    fixed(
        "file_search_call",
        queries=st.lists(TEXTS, max_size=2),
        results=st.none() | st.lists(st.fixed_dictionaries({"text": TEXTS}), max_size=2),
        status=END_STATUSES,
    ),
    fixed(
        "web_search_call", action=fixed("search", query=TEXTS, sources=SOURCES), status=END_STATUSES
    ),
    fixed(
        "image_generation_call",
        result=st.none() | st.just("AAAA"),
        status=st.sampled_from(["completed", "failed"]),
    ),
    fixed("compaction", encrypted_content=TEXTS),
    fixed(
        "shell_call",
        call_id=NAMES,
        action=st.fixed_dictionaries({"commands": st.lists(TEXTS, max_size=2)}),
        status=COMPLETE_OR_NOT,
    ),
    fixed("mcp_approval_request", server_label=NAMES, name=NAMES, arguments=TEXTS),
)


def with_ids(items):
    """Give every item its own id and call id, as providers do."""
    calls = ({"call_id": f"call_{n}"} if "call_id" in item else {} for n, item in enumerate(items))
    return [
        {**item, "id": f"{item['type']}_{n}", **call}
        for n, (item, call) in enumerate(zip(items, calls, strict=True))
    ]


OUTPUTS = st.lists(ITEMS, max_size=5).map(with_ids)


def make_response(output, status="completed", **more):
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "completed_at": 1_700_000_009,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {"a": "b"},
        "model": "gpt-5-2026",
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 7,
        },
        **more,
    }
