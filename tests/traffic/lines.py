"""Log lines as the functions, Lambda and the local gateway write them."""

import json

START = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
CALLER = {"tenant": "acme", "key_id": "key_1a2b3c4d5e6f7a8b"}


def log_line(message, seconds=0.0, **fields):
    time = f"2027-01-15T08:{int(seconds) // 60:02}:{seconds % 60:06.3f}+00:00"
    known = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"level": "INFO", "message": message, "timestamp": time, **known})


def answered(id, seconds=0.0, **fields):
    request = {"method": "POST", "path": "/v1/responses", "status": 200, "ms": 812.3}
    served = {"model": "gpt-5-mini", "target": "openai", "stream": False}
    tokens = {"input_tokens": 1234, "output_tokens": 345, "response_status": "completed"}
    fields = {**request, **CALLER, **served, **tokens, **fields}
    return log_line("answered", seconds, request_id=id, **fields)


def refused(id, seconds=0.0, status=429, code="rate_limit_exceeded", **fields):
    nothing = dict.fromkeys(("target", "input_tokens", "output_tokens", "response_status"))
    return answered(id, seconds, **{**nothing, "status": status, "code": code, "ms": 3.1, **fields})


def started(id, seconds=0.0, **fields):
    nothing = dict.fromkeys(("input_tokens", "output_tokens", "response_status"))
    return answered(id, seconds, **{**nothing, "stream": True, "first_event_ms": 310.4, **fields})


def ended(id, seconds=0.0, status="completed", **fields):
    tokens = {"input_tokens": 12, "output_tokens": 34_567}
    served = {"model": "gpt-5-mini", "target": "openai", "response_id": "resp_1", "ms": 24_100.0}
    more = {**CALLER, **served, **tokens, "response_status": status, **fields}
    return log_line("stream ended", seconds, request_id=id, **more)


def reply(id, **fields):
    time = "2027-01-15T08:00:00.000+00:00"
    return json.dumps({"type": "reply", "time": time, "request_id": id, **fields})


def report(id, status="timeout"):
    record = {"requestId": id, "status": status}
    return json.dumps(
        {"time": "2027-01-15T08:00:09.000Z", "type": "platform.report", "record": record}
    )
