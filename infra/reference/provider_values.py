"""Defaults and known values of fields at the providers; keys are `Model.field`.

The gateway checks neither, so that newer values pass.
"""

INCLUDABLE = [
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]
TIERS = ["auto", "default", "fast", "flex", "priority"]
DEFAULTS: dict[str, bool | float | str] = {
    "Compact.service_tier": "auto",
    "CreateResponse.background": False,
    "CreateResponse.parallel_tool_calls": True,
    "CreateResponse.service_tier": "auto",
    "CreateResponse.store": True,
    "CreateResponse.stream": False,
    "CreateResponse.temperature": 1,
    "CreateResponse.top_p": 1,
    "CreateResponse.truncation": "disabled",
    "BackgroundOptions.completion_window": "soonest",
    "StreamOptions.include_obfuscation": True,
    "TextFormat.strict": False,
}
VALUES: dict[str, list[str]] = {
    "BackgroundOptions.completion_window": ["soonest", "2h", "8h"],
    "CacheOptions.mode": ["implicit", "explicit"],
    "CacheOptions.ttl": ["30m", "12h"],
    "Compact.service_tier": TIERS,
    "ContextRule.type": ["compaction"],
    "CreateResponse.include": INCLUDABLE,
    "CreateResponse.prompt_cache_retention": ["in_memory", "24h"],
    "CreateResponse.service_tier": [*TIERS, "scale", "ultrafast"],
    "CreateResponse.truncation": ["auto", "disabled"],
    "Item.role": ["user", "assistant", "system", "developer"],
    "Reasoning.context": ["auto", "current_turn", "all_turns"],
    "Reasoning.effort": ["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    "Reasoning.mode": ["standard", "pro"],
    "Reasoning.summary": ["auto", "concise", "detailed"],
    "TextFormat.type": ["text", "json_schema", "json_object"],
    "TextOptions.verbosity": ["low", "medium", "high"],
    "Tool.type": [
        "function",
        "custom",
        "web_search",
        "file_search",
        "code_interpreter",
        "mcp",
        "image_generation",
        "computer",
        "computer_use_preview",
        "shell",
        "local_shell",
        "apply_patch",
        "namespace",
        "tool_search",
        "programmatic_tool_calling",
        "web_search_preview",
    ],
}
EXTENSIONS = {"CreateResponse.max_tokens"}  # OpenAI has no such field
REQUIRED = {  # the field is required, but may be null
    "Compact": ["model"],
    "UpdateConversation": ["metadata"],
}
