"""What the scenarios promise that answer with something else than a stream."""

import json

from tests.local.simulator.told import check_response


def errs(status, code=None):
    def check(told):
        assert told.status == status
        assert told.headers["content-type"] == "application/json"
        assert told.error.keys() == {"message", "type", "param", "code"}
        assert told.error["code"] == code

    return check


def limits(told):
    errs(429, "rate_limit_exceeded")(told)
    assert told.headers["retry-after"] == "1"
    assert told.headers["x-ratelimit-remaining-tokens"] == "0"


def is_a_page(status, start, kind="text/html; charset=utf-8"):
    def check(told):
        assert (told.status, told.headers["content-type"]) == (status, kind)
        assert told.body.startswith(start)
        assert bool(told.body) == bool(start)

    return check


def redirects(told):
    assert (told.status, told.headers["location"]) == (302, "/v1/redirected")


def is_json(told):
    assert told.headers["content-type"] == "application/json"
    check_response(json.loads(told.body))


def is_filtered(told):
    assert told.status == 400
    assert told.error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert (told.error["code"], told.error["type"]) == ("content_filter", None)


STANDING_IN = {
    "sim-400": errs(400, "invalid_prompt"),
    "sim-401": errs(401, "invalid_api_key"),
    "sim-403": errs(403, "unsupported_country_region_territory"),
    "sim-404": errs(404, "model_not_found"),
    "sim-408": errs(408),
    "sim-409": errs(409),
    "sim-429": limits,
    "sim-429-quota": errs(429, "insufficient_quota"),
    "sim-500": errs(500),
    "sim-502": is_a_page(502, b"<html>"),
    "sim-503": errs(503, "server_is_overloaded"),
    "sim-504": errs(504),
    "sim-529": errs(529),
    "sim-empty-500": is_a_page(500, b"", "application/json"),
    "sim-html-200": is_a_page(200, b"<html>"),
    "sim-empty-200": is_a_page(200, b"", "application/json"),
    "sim-json-200": is_json,
    "sim-302": redirects,
    "sim-content-filter": is_filtered,
}
