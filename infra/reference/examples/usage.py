"""Reports of what was used."""

from infra.reference.schemas import Schema

COUNTS: Schema = {
    "requests": 3,
    "completed": 2,
    "failed": 1,
    "incomplete": 0,
    "cancelled": 0,
    "unknown": 0,
    "unmetered": 1,
    "unpriced": 0,
    "input_tokens": 2000,
    "cached_tokens": 800,
    "cache_write_tokens": 0,
    "output_tokens": 200,
    "reasoning_tokens": 120,
    "total_tokens": 2200,
    "cost_usd": "0.0036",
}
PLACE: Schema = {
    "object": "usage.bucket",
    "day": "2026-11-22",
    "model": "gpt-5",
    "target": "openai",
    "key_id": "key_68a1c0ffee68a1c0",
}


def _report(**place: None) -> Schema:
    return {
        "object": "list",
        "start": "2026-11-22",
        "end": "2026-11-22",
        "data": [{**PLACE, **place, **COUNTS}],
        "total": COUNTS,
        "has_more": False,
    }


REPORTS: Schema = {
    "Apart": {"summary": "By day, model, target and key", "value": _report()},
    "ByModel": {
        "summary": "By model alone: `by=model`",
        "value": _report(day=None, target=None, key_id=None),
    },
}
