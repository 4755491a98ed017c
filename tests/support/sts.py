"""Plays STS at botocore's border: moto does not know GetWebIdentityToken."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import boto3
from botocore.awsrequest import AWSResponse

from antiphon.store.web_identity import WebIdentity
from tests.support.aws import ONCE
from tests.support.gateway import LOCAL_AWS

TOKEN = """<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetWebIdentityTokenResult><WebIdentityToken>{}</WebIdentityToken>
<Expiration>2030-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>
</GetWebIdentityTokenResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<Error><Type>Sender</Type><Code>{}</Code><Message>MARK-message</Message></Error></ErrorResponse>"""


class STS:
    """Signs for whom it likes; fails as it is told."""

    def __init__(self, region: str = "eu-central-1") -> None:
        self.asked: list[dict[str, str]] = []
        self.urls: list[str] = []
        self.made = 0  # clients
        self.token = "signed-by-aws"
        self.fails: Callable[[Any], AWSResponse] | None = None
        self.identity = WebIdentity(self._connect)
        self._place = {**LOCAL_AWS, "region_name": region}

    def refuses(self, code: str, status: int = 403) -> None:
        self.fails = lambda request: _answer(request, ERROR.format(code), status)

    def _connect(self) -> Any:
        self.made += 1
        client = boto3.client("sts", config=ONCE, **self._place)
        # First, for moto would answer at the same hook.
        client.meta.events.register_first("before-send.sts.GetWebIdentityToken", self._play)
        return client

    def _play(self, request: Any, **_: object) -> AWSResponse:
        self.urls.append(request.url)
        self.asked.append(dict(parse_qsl(request.body)))
        request.url = "https://played.invalid/"  # moto, which is asked as well, has nothing there
        if self.fails is not None:
            return self.fails(request)
        return _answer(request, TOKEN.format(self.token), 200)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> list[bytes]:
        return [self._content]


def _answer(request: Any, content: str, status: int) -> AWSResponse:
    return AWSResponse(request.url, status, {}, _Body(content.encode()))
