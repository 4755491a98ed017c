"""moto's AWS in this process, and clients that all tests of the process share.

To make a client costs as much processor time as ten of a test's calls, and hundreds of tests need
some. A client that was made before moto started is answered by moto as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from math import isfinite
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.hooks import EventAliaser, HierarchicalEmitter
from moto import mock_aws, settings
from moto.core import models
from moto.core.botocore_stubber import BotocoreStubber

from infra.local.aws import direct_calls

LOCAL_AWS = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
# A fifth of the time of a call in this process is that of a signature and the name of the client.
IN_PROCESS = Config(signature_version=UNSIGNED, user_agent="tests")
ONCE = IN_PROCESS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
FAST_MOTO = {"core": {"reset_boto3_session": False}}  # loading botocore's models again takes 0.2 s

# A session reads the descriptions of services once for all its clients, and each command opens a
# session of its own: nine tenths of the time of a command in these tests.
botocore.session.create_loader = cache(botocore.session.create_loader)
# Each client works out anew which names events have had: 60 aliases for each of its events.
EventAliaser._alias_event_name = staticmethod(  # type: ignore[method-assign]
    cache(EventAliaser(HierarchicalEmitter())._alias_event_name)
)
# For each test moto would teach `requests`, which nothing here sends with, 1,300 addresses.
models.RESPONSES_METHODS.clear()
# The gateway's own calls are executed as the local AWS executes them: without moto's request, and
# without permissions, so that a test of those takes moto's usual way.
IN_REGION = f".{LOCAL_AWS['region_name']}.amazonaws.com/"
_process = BotocoreStubber.process_request


def _process_directly(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    target, body = request.headers.get("X-Amz-Target", ""), request.body
    target = target.decode() if isinstance(target, bytes) else target
    has_permissions = isfinite(settings.INITIAL_NO_AUTH_ACTION_COUNT)
    if has_permissions or IN_REGION not in request.url or not direct_calls.is_known(target, body):
        return _process(stubber, request)
    return direct_calls.call(target, body)


BotocoreStubber.process_request = _process_directly  # type: ignore[method-assign]


_HOOKS: list[tuple[Any, ...]] = []  # event hooks of shared clients that tests have registered


def _register(events: Any, register: Any, event: str, handler: Any, unique_id: Any = None) -> None:
    register(event, handler, unique_id)
    _HOOKS.append((events, event, handler, unique_id))


def _record_hooks(events: Any) -> None:
    for name in ("register", "register_first", "register_last"):
        setattr(events, name, partial(_register, events, getattr(events, name)))


@cache
def aws_client(service: str, config: Config = IN_PROCESS, endpoint: str | None = None) -> Any:
    """The client of this process for a service: of `local_aws`, or at the address of another.

    Another AWS is a server of moto, which finds the service of a request in its signature.
    """
    config = config if endpoint is None else Config()
    client = boto3.client(service, config=config, endpoint_url=endpoint, **LOCAL_AWS)
    _record_hooks(client.meta.events)
    return client


@cache
def aws_table(name: str, endpoint: str | None = None) -> Any:
    """A table with values of Python, for what a test reads and writes itself."""
    return boto3.resource("dynamodb", endpoint_url=endpoint, **LOCAL_AWS).Table(name)


@contextmanager
def local_aws() -> Iterator[None]:
    """An empty AWS in this process; hooks that the block registers at shared clients end with it."""
    count = len(_HOOKS)
    try:
        with mock_aws(config=FAST_MOTO):
            yield
    finally:
        while len(_HOOKS) > count:
            events, *hook = _HOOKS.pop()
            events.unregister(*hook)
