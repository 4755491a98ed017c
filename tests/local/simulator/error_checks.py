"""Checks of the scenarios that reply with something other than a stream."""

import json

from tests.local.simulator.reply import check_response


def is_error(status, code=None):
    def check(reply):
        assert reply.status == status
        assert reply.headers["content-type"] == "application/json"
        assert reply.error.keys() == {"message", "type", "param", "code"}
        assert reply.error["code"] == code

    return check


def is_rate_limited(reply):
    is_error(429, "rate_limit_exceeded")(reply)
    assert reply.headers["retry-after"] == "1"
    assert reply.headers["x-ratelimit-remaining-tokens"] == "0"


def is_page(status, start, kind="text/html; charset=utf-8"):
    def check(reply):
        assert (reply.status, reply.headers["content-type"]) == (status, kind)
        assert reply.body.startswith(start)
        assert bool(reply.body) == bool(start)

    return check


def is_redirect(reply):
    assert (reply.status, reply.headers["location"]) == (302, "/v1/redirected")


def is_json(reply):
    assert reply.headers["content-type"] == "application/json"
    check_response(json.loads(reply.body))


def is_content_filter_error(reply):
    assert reply.status == 400
    assert reply.error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert (reply.error["code"], reply.error["type"]) == ("content_filter", None)


ERROR_CHECKS = {
    "sim-400": is_error(400, "invalid_prompt"),
    "sim-401": is_error(401, "invalid_api_key"),
    "sim-403": is_error(403, "unsupported_country_region_territory"),
    "sim-404": is_error(404, "model_not_found"),
    "sim-408": is_error(408),
    "sim-409": is_error(409),
    "sim-429": is_rate_limited,
    "sim-429-quota": is_error(429, "insufficient_quota"),
    "sim-500": is_error(500),
    "sim-502": is_page(502, b"<html>"),
    "sim-503": is_error(503, "server_is_overloaded"),
    "sim-504": is_error(504),
    "sim-529": is_error(529),
    "sim-empty-500": is_page(500, b"", "application/json"),
    "sim-html-200": is_page(200, b"<html>"),
    "sim-empty-200": is_page(200, b"", "application/json"),
    "sim-json-200": is_json,
    "sim-302": is_redirect,
    "sim-content-filter": is_content_filter_error,
}
