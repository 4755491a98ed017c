"""What stands in a query, checked as far as the provider's reference states it."""

from urllib.parse import parse_qs

from antiphon.errors import InvalidRequest

MOST = 100


def listing(query: str) -> None:
    """Parameters of a provider's list: limit, order."""
    given = parse_qs(query, keep_blank_values=True)
    for limit in given.get("limit", ()):
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MOST):
            raise _invalid("limit", f"a whole number from 1 to {MOST}")
    for order in given.get("order", ()):
        if order not in {"asc", "desc"}:
            raise _invalid("order", "'asc' or 'desc'")


def streams(query: str) -> bool:
    """Whether a retrieval asks for the stream; raise InvalidRequest for what is no such thing."""
    given = parse_qs(query, keep_blank_values=True)
    for name in ("stream", "include_obfuscation"):
        if not {value.lower() for value in given.get(name, ())} <= {"true", "false"}:
            raise _invalid(name, "'true' or 'false'")
    for after in given.get("starting_after", ()):
        if not (after.isascii() and after.isdigit()):
            raise _invalid("starting_after", "a whole number")
    return [value.lower() for value in given.get("stream", ())][-1:] == ["true"]


def _invalid(param: str, expected: str) -> InvalidRequest:
    message = f"Invalid '{param}': expected {expected}."
    return InvalidRequest(message, param=param, code="invalid_value")
