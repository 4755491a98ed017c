"""What a process of the API function has imported when its first create is answered.

Each module is a part of every start; it is a bound on their number that a new one must not exceed
unseen, and a list of what only some requests or other functions need.
"""

import json

import pytest

from infra.project import PROJECT
from tests.support.events import make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response

MOST = 611  # 608 on Linux
# httpx's command, which is in no asset, imports them where they are installed.
OF_DEVELOPMENT = {"click", "pygments", "rich"}
NOT_AT_THE_START = {
    "antiphon.guardrail",  # where one is configured
    "antiphon.providers.bedrock",  # for a target of Bedrock
    "antiphon.rollup",  # a function of its own
    "antiphon.store.request_signing",
    "boto3",  # does not ship
    "botocore.session",  # for an environment that is not Lambda's
    "botocore.client",
    "dateutil",
    "genai_prices",  # for limits in dollars
    "httpcore",  # does not ship
    "multiprocessing",  # for Managed Instances
    "urllib3",  # for a proxy
    "xml",
}


@pytest.fixture
def function(gateway, provider, tmp_path):
    gateway.close_circuits()
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"targets": {"openai": target}}))
    more = {"_HANDLER": "tests.support.imported.handler", "PYTHONPATH": str(PROJECT)}
    with run_function(gateway.aws_endpoint, config, tmp_path / "log", **more) as running:
        yield running


def test_the_first_create_imports_only_what_it_needs(function, provider):
    assert function.call("is the create's model built?")  # by the start
    provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    assert function(make_create_event({"model": "gpt-5", "input": "x"})).status == 200
    modules = function.call("which modules?")
    parts = [name.split(".") for name in modules]
    names = {".".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)}
    assert "antiphon.wiring" in names
    assert names & NOT_AT_THE_START == set()
    assert sum(part[0] not in OF_DEVELOPMENT for part in parts) <= MOST
