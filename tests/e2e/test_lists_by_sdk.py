"""openai-python reads the gateway's own lists, and pages through them by itself."""

import itertools

import openai
import pytest
from openai.pagination import SyncCursorPage

from tests.clients.sdk import HTTP
from tests.support.gateway import KEYS
from tests.support.requests import create_from_request, create_response, list_ids

_models = (f"gpt-sdk-{n}" for n in itertools.count())


class Link(openai.BaseModel):
    """As much of a listed link as the SDK's paging needs."""

    id: str


@pytest.fixture
def model():
    """A model nobody else asks for: with it a test finds its own responses in the list."""
    return next(_models)


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


@pytest.fixture
def sdk(gateway, door):
    with openai.DefaultHttpxClient(**HTTP) as http:
        yield openai.OpenAI(
            base_url=gateway.base(door), api_key=KEYS["acme"], http_client=http, max_retries=0
        )


def test_the_sdk_reads_a_list_raw(sdk, acme, provider, model):
    id = create_response(acme, provider, model)
    params = {"model": model, "limit": 5}
    page = sdk.get("/responses", cast_to=object, options={"params": params})
    assert list_ids(page) == [id]


def test_the_sdk_pages_through_a_list_by_itself(sdk, acme, provider, model):
    made_here = [create_response(acme, provider, model) for _ in range(5)]
    options = {"params": {"model": model, "limit": 2}}
    links = sdk.get_api_list("/responses", page=SyncCursorPage[Link], model=Link, options=options)
    assert [link.id for link in links] == made_here[::-1]
    root = made_here[0]
    tree = [
        root,
        *(create_from_request(acme, provider, previous_response_id=root) for _ in range(4)),
    ]
    path, options = f"/responses/{root}/lineage", {"params": {"limit": 2}}
    links = sdk.get_api_list(path, page=SyncCursorPage[Link], model=Link, options=options)
    assert [link.id for link in links] == tree
