"""The ids of resources in a body: each place where the API has one, and shapes that hide one."""

import json
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.schema.create import CreateResponse
from antiphon.schema.json_document import MAX_DEPTH
from antiphon.schema.other_bodies import (
    Compact,
    CreateConversation,
    CreateItems,
    InputTokens,
    body_references,
)
from antiphon.schema.resource_references import (
    NOT_ENTERED,
    PLAIN_NAMES,
    SUSPECTS,
    VARIABLES,
    _walk,
    resource_references,
)
from tests.support.concurrency import IS_SOAK

PLACES = {  # where the Responses API has an id: kind of the id
    "tools[0].vector_store_ids[0]": "vector_store",
    "tools[0].container": "container",
    "tools[0].container.file_ids[1]": "file",
    "tools[0].container.skills[0].skill_id": "skill",
    "tools[0].environment.container_id": "container",
    "tools[0].environment.file_ids[0]": "file",
    "tools[0].environment.skills[1].skill_id": "skill",
    "tools[0].input_image_mask.file_id": "file",
    "tools[0].tunnel_id": "tunnel",
    "tools[0].tools[2].tools[0].container": "container",
    "input[0].tools[0].vector_store_ids[0]": "vector_store",
    "input[0].tools[1].tools[0].environment.container_id": "container",
    "input[3].content[2].file_id": "file",
    "input[0].output[0].file_id": "file",
    "input[0].output.file_id": "file",
    "input[0].container_id": "container",
    "input[0].environment.container_id": "container",
    "items[0].content[0].file_id": "file",
    "prompt.id": "prompt",
    "prompt.variables.picture.file_id": "file",
    "prompt.variables.metadata.file_id": "file",
    "input[0].content[0].image_url": "file",
    "input[0].content[0].image_url.url": "file",
    "input_file_id": "file",
    "brand_new.tool.vector_store_id": "vector_store",
    "brand_new.container.id": "container",
    "brand_new.vector_store.id": "vector_store",
    "brand_new[0][1][0].file_id": "file",
    "brand_new.file_id[0][0]": "file",
    "brand_new.file_ids": "file",
    "brand_new.file_ids[0].id": "file",
}
IDS = {"skill": "skill_1", "file": "sediment://file_1"}
ECHOES = [
    "input[0].content[0].annotations[0].file_id",
    "input[0].results[0].file_id",
    "input[0].arguments.file_id",
    "tools[0].parameters.properties.container",
    "tools[0].parameters.properties.File_Id",
    "input[0].tools[0].input_schema.properties.file_id",
    "text.format.schema.properties.container",
    "metadata.container",
    "client_metadata.container",
    "attributes.file_id",
    "tools[0].filters.filters[0].file_id",
    "tools[0].headers.Container",
    "input[0].action.env.CONTAINER",
    "prompt.variables.container",
    "prompt.variables.File_Id",
]
NO_IDS = {
    "a null": {"file_id": None, "container": None, "file_ids": [None], "prompt": {"id": None}},
    "nothing": {"file_ids": [], "container": {}, "input": [], "x": ""},
    "OpenAI's own skills": {"skills": [{"skill_id": "openai-spreadsheets", "version": "latest"}]},
    "a container to make": {"container": {"type": "auto", "memory_limit": "4g"}},
    "other ids": {"id": "msg_1", "call_id": "c", "connector_id": "connector_x", "prompt": "a cat"},
    "ordinary URLs": {"image_url": "data:image/png;base64,eA==", "file_url": "https://x/sediment:"},
    "other values in place of a URL": {"image_url": 1, "url": True},
}


def body_with(path, value):
    """An object that has the value at this path, and little else."""
    for name, index in reversed(re.findall(r"(\w+)|\[(\d+)\]", path)):
        value = {name: value} if name else [{"type": "other"}] * int(index) + [value]
    return value


def found_in(value, path=""):
    return list(resource_references(value, path))


@pytest.mark.parametrize("path", PLACES)
def test_each_place_of_the_api(path):
    kind = PLACES[path]
    id = IDS.get(kind, "some-id")
    assert found_in(body_with(path, id)) == [(path, kind, id)]


@pytest.mark.parametrize("path", ECHOES)
def test_what_a_provider_does_not_look_up(path):
    assert found_in(body_with(path, "file-1")) == []


@pytest.mark.parametrize("name", NO_IDS)
def test_what_is_no_id(name):
    assert found_in(NO_IDS[name]) == []


@pytest.mark.parametrize("value", [7, 1.5, True, False, 0, "", 10**4200])
@pytest.mark.parametrize("path", ["input[0].file_id", "tools[0].vector_store_ids[0]", "prompt.id"])
def test_a_value_that_nobody_owns(path, value):
    ((_, _, id),) = found_in(body_with(path, value))
    assert id == (value if isinstance(value, str) else json.dumps(value))


@pytest.mark.parametrize("id", ["skill_1", "SKILL_1", " skill_1"])
def test_skills_that_somebody_uploaded(id):
    assert found_in({"skill_id": id}) == [("skill_id", "skill", id)]


@pytest.mark.parametrize("url", ["sediment://file_1", " \nSediment:file_1"])
@pytest.mark.parametrize("name", ["image_url", "file_url", "url"])
def test_urls_that_name_a_file(name, url):
    assert found_in({name: url}) == [(name, "file", url)]


@pytest.mark.parametrize(
    "path",
    ["File_Id", "input[0].content[0].FILE_ID", "tools[1].Container.file_ids[0]", "x.file_idS[0]", "vector_\u017ftore_id"],
)  # fmt: skip
def test_a_name_in_another_case(path):
    with pytest.raises(InvalidRequest, match="lower case") as raised:
        found_in(body_with(path, "file-1"))
    assert raised.value.code == "invalid_value"
    assert path.startswith(raised.value.param)


@pytest.mark.parametrize("path", ["file.ID", "x.File.id", "tools[0].PROMPT.Id"])
def test_an_object_in_another_case_names_its_kind(path):
    ((found, kind, _),) = found_in(body_with(path, "file-1"))
    assert (found, kind) == (path, path.split(".")[-2].lower())


@pytest.mark.parametrize("model", [CreateResponse, InputTokens, Compact])
@pytest.mark.parametrize("name", ["input", "tools", "prompt", "image", "tool_choice", "brand_new"])
def test_each_part_of_a_body_that_names_a_model(model, name):
    lists = {"input": [{"file_id": "file-1"}], "tools": [{"type": "x", "file_id": "file-1"}]}
    part = lists.get(name, {"id": "pmpt_1", "file_id": "file-1"})
    body = model.of({"model": "m", "input": "x", name: part})
    path = f"{name}[0].file_id" if name in lists else f"{name}.file_id"
    assert (path, "file", "file-1") in list(body.references)


@pytest.mark.parametrize("model", [CreateConversation, CreateItems])
def test_each_part_of_a_body_with_items(model):
    body = model.of({"items": [{"file_id": "file-1"}], "brand_new": {"container": "c"}})
    assert list(body.references) == [
        ("items[0].file_id", "file", "file-1"),
        ("brand_new.container", "container", "c"),
    ]


def form_with(name):
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nfile-1\r\n'
    return {"content-type": "multipart/form-data; boundary=b"}, f"{part}--b--\r\n".encode()


def test_the_id_in_a_form():
    assert list(body_references(*form_with("file_id"))) == [("file_id", "file", "file-1")]
    assert list(body_references(*form_with("files[]"))) == []


@pytest.mark.parametrize(
    "name", ["file_ids", "file_ids[]", "x[Container]", "files[0][file_id]", "vector%5Fstore_id"]
)
def test_a_form_that_names_other_ids(name):
    with pytest.raises(InvalidRequest, match="form"):
        list(body_references(*form_with(name)))


def test_all_in_their_order():
    ids = found_in([{"file_ids": ["a", {"file_id": "b"}, "c"], "container": "d"}], "items")
    assert ids == [
        ("items[0].file_ids[0]", "file", "a"),
        ("items[0].file_ids[1].file_id", "file", "b"),
        ("items[0].file_ids[2]", "file", "c"),
        ("items[0].container", "container", "d"),
    ]


NAMES = st.sampled_from(
    [*SUSPECTS, *NOT_ENTERED, *PLAIN_NAMES, VARIABLES, "x", "File_Id", "Prompt", "Variables"]
)
BODIES = st.recursive(
    st.sampled_from(["file-1", "sediment:", None, 7]),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(NAMES, each, max_size=3),
    max_leaves=12,
)


@example({"x": {"variables": {"metadata": {"file_id": "file-1"}}}})
@given(st.dictionaries(NAMES, BODIES, min_size=1, max_size=3))
@settings(max_examples=20_000 if IS_SOAK else 150, deadline=None)
def test_a_body_that_is_not_walked_names_nothing(body):
    def ids(find):
        try:
            return list(find(body, ""))
        except InvalidRequest as error:
            return str(error)

    assert ids(resource_references) == ids(_walk)


@pytest.mark.parametrize("name", ["a", "k" * 5_000])
def test_a_deep_place_has_a_short_path(name):
    value = {"file_id": "file-1"}
    for _ in range(20 * MAX_DEPTH):
        value = {name: value}
    ((path, kind, id),) = found_in(value)
    assert (kind, id, len(path)) == ("file", "file-1", 200)


def test_an_ordinary_body_takes_few_steps():
    function = {"type": "function", "name": "f", "parameters": {"properties": {"a": {"b": {}}}}}
    message = {"role": "user", "content": [{"type": "input_text", "text": "x"}]}
    body = {"model": "m", "input": [message] * 3, "tools": [function] * 3, "metadata": {"a": "b"}}
    calls = []
    sys.setprofile(lambda _frame, event, _: calls.append(event.endswith("call")))
    try:
        assert found_in(body) == []
    finally:
        sys.setprofile(None)
    assert sum(calls) < 150
