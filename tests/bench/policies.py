"""`python -m tests.bench.policies`: what judging a create with 20 tools costs, in CPU."""

import json
import time
from statistics import median

import click

from antiphon.auth import Caller
from antiphon.policies.policies import Policies
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config

TOOLS, REPEATS, TIMES = 20, 9, 2_000
POLICY = {
    "tools": ["function", "web_search*"],
    "deny_tools": ["computer*"],
    "mcp_hosts": ["*.acme.com"],
    "mcp_labels": ["docs*"],
    "connectors": [],
    "url_hosts": ["*.acme.com"],
    "store": "refuse",
    "background": False,
    "service_tiers": ["auto", "default"],
    "max_effort": "high",
    "max_input_bytes": 1_000_000,
    "targets": ["open*"],
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"type": "function", "description": "The weather", "parameters": SCHEMA, "strict": True}
BODY = {
    "model": "gpt-5",
    "store": False,
    "reasoning": {"effort": "low"},
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "What is new?"}]}] * 4,
    "tools": [{**FUNCTION, "name": f"tool_{n}"} for n in range(TOOLS)],
}


def judge_us(times: int = TIMES) -> float:
    """Return microseconds of CPU, the median of a few repeats."""
    target = {"provider": "openai", "models": ["gpt-*"]}
    sections = {"targets": {"openai": target}, "policy": POLICY}
    policies, caller = Policies.from_config(parse_config(sections)), Caller("acme", "k")
    assert policies is not None
    content = json.dumps(BODY).encode()
    body, figures = CreateResponse.parse(content), []
    for _ in range(REPEATS):
        begun = time.process_time_ns()
        for _ in range(times):
            policies.apply(body, caller, content)
        figures.append((time.process_time_ns() - begun) / times / 1000)
    return round(median(figures), 2)


def main() -> None:
    click.echo(f"{TOOLS} tools, every rule: {judge_us()} µs of CPU")


if __name__ == "__main__":
    main()
