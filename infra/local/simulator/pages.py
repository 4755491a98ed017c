"""Answers given in place of a response: errors, and things that are not even that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.simulator.refusals import AGAIN, Refusal

HTML = b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center></body></html>\r\n"
_FILTERED = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content"
        " management policy. Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "hate": {"filtered": False, "severity": "safe"},
                "jailbreak": {"filtered": True, "detected": True},
            },
        },
    }
}


@dataclass(frozen=True)
class Page:
    """Any HTTP answer."""

    status: int
    body: bytes = b""
    type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def html(status: int, title: bytes) -> Page:
    return Page(status, HTML % (title, title), "text/html; charset=utf-8")


def failure(status: int, message: str = AGAIN, code: str | None = None) -> Refusal:
    return Refusal(status, message, code, type="server_error")


def rate_limited(seconds: int) -> Refusal:
    message = (
        "Rate limit reached for the model on tokens per min (TPM): Limit 30000, Used 30000,"
        f" Requested 42. Please try again in {seconds}s."
    )
    headers = {
        "retry-after": str(seconds),
        "retry-after-ms": str(seconds * 1000),
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": f"{seconds}s",
    }
    return Refusal(429, message, "rate_limit_exceeded", type="tokens", headers=headers)


CONTENT_FILTERED = Page(400, json.dumps(_FILTERED).encode())
OUT_OF_QUOTA = Refusal(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota",
    type="insufficient_quota",
)
