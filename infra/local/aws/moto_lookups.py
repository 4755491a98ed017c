"""Spares moto what it computes anew for each call: two thirds of the time of a call to a table.

It lists its own directory to find a service, inspects a class to find a method, tries six names for
each member of each attribute value, and adds up the size of a row for each of its attributes. Of
each message that it delivers it counts the messages of the queue, to know how long one stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isfunction
from typing import Any

from moto import backends
from moto.core import responses, serialize, utils
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize
from moto.sqs.models import Message, SQSBackend

from infra.local.aws import moto_expressions, moto_queries

MAX_ROW_BYTES = 405_000  # moto's own limit
ATTRIBUTE_VALUE = "AttributeValue"  # DynamoDB's name of {"S": "text"}


def install() -> None:
    """Replace these computations for all backends of this process; calling it again is harmless."""
    if hasattr(LimitedSizeDict.__setitem__, "is_bounded"):
        return
    moto_expressions.install()
    moto_queries.install()
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    setattr(responses, "method_names_from_class", _Methods)  # noqa: B010  it is not exported
    picker = serialize.AttributePicker
    picker.__call__ = _pick_directly(picker.__call__)  # type: ignore[method-assign]
    LimitedSizeDict.__setitem__ = _set_bounded  # type: ignore[method-assign]
    SQSBackend.is_message_valid_based_on_retention_period = _is_retained  # type: ignore[assignment, method-assign]


@dataclass(frozen=True)
class _Methods:
    """The names of the methods of a class, of which moto asks for one."""

    owner: type

    def __contains__(self, name: str) -> bool:
        return isfunction(getattr(self.owner, name, None))


def _pick_directly(call: Callable[..., Any]) -> Callable[..., Any]:
    """Attribute values are dicts with the exact names: there is nothing else to try."""

    def pick(picker: serialize.AttributePicker, context: serialize.AttributePickerContext) -> Any:
        parent = getattr(context.shape, "parent", None)
        if type(context.obj) is dict and parent is not None and parent.name == ATTRIBUTE_VALUE:
            return context.obj.get(context.key)
        return call(picker, context)

    return pick


def _is_retained(backend: SQSBackend, queue_name: str, message: Message) -> bool:
    queue: Any = backend.get_queue(queue_name)  # without types: moto sets what is read here by name
    sent: Any = message.sent_timestamp  # in milliseconds
    return bool(queue.message_retention_period + sent / 1000 > utils.unix_time())


def _set_bounded(row: LimitedSizeDict, key: str, value: Any) -> None:
    """Set an attribute; raise ItemSizeTooLarge.

    The row has an upper bound of its size, which grows with each attribute that is set; the exact
    size is computed only where the bound exceeds the limit.
    """
    more = _size(key) + _size(value)
    bound = row.__dict__["bound"] if "bound" in row.__dict__ else _exact_size(row)
    if bound + more > MAX_ROW_BYTES:
        bound = _exact_size(row)
        if bound + more > MAX_ROW_BYTES:
            raise ItemSizeTooLarge
    row.__dict__["bound"] = bound + more
    dict.__setitem__(row, key, value)


_set_bounded.is_bounded = True  # type: ignore[attr-defined]


def _exact_size(row: LimitedSizeDict) -> int:
    return sum(_size(key) + _size(value) for key, value in row.items())


def _size(part: Any) -> int:
    is_typed = type(part) is DynamoType
    return int(part.size() if is_typed else bytesize(str(part)))
