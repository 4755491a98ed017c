"""Bodies of the largest size that are hard to read: memory and work stay bounded.

Work is counted in function calls, which a slow machine makes no more of.
"""

import tracemalloc
from cProfile import Profile
from functools import partial, wraps

import pytest

from antiphon.errors import InvalidRequest
from antiphon.ownership import MAX_REFERENCES, Ownership
from antiphon.schema.create import CreateResponse
from antiphon.schema.json_document import MAX_VALUES

SIZE = 4_500_000
MAX_CALLS = 20 * MAX_VALUES  # of functions: less than half a second


def on_demand(build):
    """Bodies that are made in the test that reads them: all of them are 200 MB, of each process."""

    @wraps(build)
    def body(*arguments, **named):
        return partial(build, *arguments, **named)

    return body


@on_demand
def fill(before, unit, after="}", separator=",", count=None):
    """A body of SIZE bytes, or of `count` units."""
    fits = (SIZE - len(before) - len(after)) // (len(unit) + len(separator))
    return (before + separator.join([unit] * (count or fits)) + after).encode()


@on_demand
def numbered(before, unit, after):
    """A body with as many different values as are accepted."""
    units = (unit.format(n) for n in range(MAX_VALUES // 2 - 10))
    return (before + ",".join(units) + after).encode()


START = '{"model":"gpt-5","input":'
ARRAY = START + "["
END = "]}"
MESSAGE = '{"role":"user","content":"' + '{\\"a\\":[1,2]},' * 90 + '"}'
SHAPES = {
    "input of numbers": (fill(ARRAY, "0", END), "values"),
    "tools of numbers": (fill('{"model":"gpt-5","tools":[', "0", END), "values"),
    "input of empty objects": (fill(ARRAY, "{}", END), "values"),
    "input of empty arrays": (fill(ARRAY, "[]", END), "values"),
    "input of texts": (fill(ARRAY, '""', END), "values"),
    "content of parts": (fill(ARRAY + '{"content":[', "{}", "]}]}"), "values"),
    "an unknown member of arrays": (fill('{"model":"m","input":"x","y":[', "[[0]]", END), "values"),
    "members": (fill('{"metadata":{', '"a":0', "}}"), "values"),
    "strings and nothing else": (b'"' * SIZE, "line 1"),
    "commas": (b"," * SIZE, "values"),
    "lines": (b"{" + b"\n" * (SIZE - 2) + b"x", "line 4499999"),
    "spaces": (b"{" + b" " * (SIZE - 2) + b"x", "line 1"),
    "opened and never closed": (fill(ARRAY, "{", "", '"a":'), "values"),
    "a text": (fill(START + '"', "x", '"}', ""), None),
    "a text with an emoji": (fill(START + '"\\ud83d\\ude00', "x", '"}', ""), None),
    "a text of quotes": (fill(START + '"', '\\"', '"}', ""), None),
    "a text of commas": (fill(START + '"', ",", '"}', ""), None),
    "texts of JSON": (fill(ARRAY, MESSAGE, END), None),
    "a text that does not end": (fill(START + '"', "x", "", ""), "line 1"),
    "a text with a fault behind it": (fill(START + '"', "x", '",}', ""), "trailing comma"),
    "a long key": (fill('{"', "k", '":NaN}', ""), "NaN"),
    "a long key, deep": (fill('{"', "k", '":[[[[[[[[[[1e999]]]]]]]]]]}', ""), "out of range"),
    "a long key twice": (b'{"%b":1,"%b":1}' % (b"k" * (SIZE // 2 - 9), b"k" * (SIZE // 2 - 9)), "duplicate key"),
    "a long model": (fill('{"input":"x","model":"gpt-', "x", '"}', ""), "model"),
    "a long service tier": (fill('{"input":"x","model":"m","service_tier":"', "x", '"}', ""), "service_tier"),
    "a long function": (fill(ARRAY + '{"type":"function_call","name":"', "x", '"}]}', ""), "name"),
    "a long number": (fill('{"x":', "1", "}", ""), "out of range"),
    "just enough numbers": (fill(ARRAY, "0", END, count=MAX_VALUES - 10), "input[0]"),
    "just enough objects": (fill(ARRAY, "{}", END, count=MAX_VALUES // 2 - 10), None),
    "just enough tools": (fill('{"model":"m","input":"x","tools":[', '{"type":"a"}', END, count=MAX_VALUES // 2 - 10), None),
    "just enough rules": (fill('{"model":"m","input":"x","context_management":[', '{"type":"a"}', END, count=MAX_VALUES // 2 - 10), None),
    "just enough parts": (fill(ARRAY + '{"content":[', "{}", "]}]}", count=MAX_VALUES // 2 - 10), None),
    "just enough numbers in metadata": (numbered('{"model":"m","input":"x","metadata":{', '"{0}":{0}', "}}"), "metadata"),
    "just enough members": (numbered('{"model":"m","input":"x",', '"k{0}":1{0}', "}"), None),
    "just enough small objects": (numbered('{"model":"m","input":"x","y":[', '{{"key {0}":1.{0}}}', "]}"), None),
    "just enough references": (numbered(ARRAY, '{{"id":"msg_{0}"}}', "]}"), "referred"),
    "just enough files": (numbered('{"model":"m","input":"x","file_ids":[', '"file-{0}",null', "]}"), "referred"),
    "just enough files below a long key": (fill('{"model":"m","input":"x","%s":[' % ("k" * 2_000_000), '{"file_id":"f"}', END, count=MAX_VALUES // 2 - 10), "referred"),
    "just enough URLs": (numbered('{"model":"m","input":"x","y":[', '{{"url":"sedimen{0}"}}', "]}"), None),
    "just enough skills": (numbered('{"model":"m","input":"x","y":[', '{{"skill_id":"openai-{0}"}}', "]}"), None),
    "just enough depth": (fill('{"model":"m","input":"x","y":[', "[" * 90 + "]" * 90, END, count=MAX_VALUES // 91 - 10), None),
}  # fmt: skip


class NoReferences:
    def targets(self, _tenant, names):
        assert len(names) <= MAX_REFERENCES
        return dict.fromkeys(names, "openai")


def read(body):
    """Do with a body what is done before its provider is called; return the message of its error."""
    try:
        parsed = CreateResponse.parse(body)
        Ownership(links=None, items=None, references=NoReferences()).targets(
            parsed.references, "acme"
        )
        parsed.body_for(body, "another-model")
    except InvalidRequest as error:
        return error.body().decode()
    return None


def count_calls(function, *arguments):
    calls = Profile()
    calls.runcall(function, *arguments)
    return sum(entry.callcount for entry in calls.getstats())


@pytest.fixture(scope="module", autouse=True)
def _models():
    """Built before anything is measured."""
    read(
        fill(
            ARRAY,
            '{"type":"a"}',
            '],"tools":[{"type":"a"}],"context_management":[{"type":"a"}]}',
            count=1,
        )()
    )


@pytest.mark.parametrize("name", SHAPES)
def test_no_body_takes_much_memory_or_work(name):
    body, message = SHAPES[name]
    body = body() if callable(body) else body
    assert len(body) <= SIZE
    tracemalloc.start()
    try:
        found = read(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found is None if message is None else message in found
    assert len(found or "") < 5_000
    assert peak <= 6 * SIZE
    assert 0 < count_calls(read, body) <= MAX_CALLS
