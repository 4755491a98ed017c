"""Answers of a target that fails, by what they say of whether it began."""

import json

from tests.support.provider import CLOSE, RESET, stream_head, whole


def error(status, code=None, message="m", param=None, **headers):
    body = {"error": {"message": message, "type": "t", "param": param, "code": code}}
    return (whole(json.dumps(body).encode(), status, **headers),)


BEGAN_NOTHING = {
    "429": error(429, "rate_limit_exceeded"),
    "503": error(503, "server_is_overloaded"),
    "401": error(401, "invalid_api_key"),
    "403": error(403, "unsupported_country_region_territory"),
    "404 deployment": error(404, "DeploymentNotFound"),
    "404 model": error(404, "model_not_found", param="model"),
    "404 page": (whole(b"<html>", 404, kind="text/html"),),
    "400 encrypted": error(400, "invalid_encrypted_content"),
    "400 model": error(400, "model_not_found", param="model"),
}
MAY_HAVE_BEGUN = {
    "500": error(500),
    "502": error(502),
    "504": error(504),
    "reset": (RESET,),
    "closed": (CLOSE,),
    "html": (whole(b"<html>", kind="text/html"),),
    "half": (stream_head(), RESET),
}
REFUSED = {
    "400": error(400, "invalid_value", param="input"),
    "404 file": error(404, param="input[0].file_id"),
    "422": error(422),
    "529": error(529),  # overloaded: for the caller to try again
}
