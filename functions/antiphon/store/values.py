"""Python's values as DynamoDB writes them, and back; numbers are ints and floats.

Ours and not boto3's own serializer, whose package brings a transfer manager and its threads into
every cold start. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue
"""

from collections.abc import Callable, Mapping
from typing import Any

type Item = dict[str, Any]


SCALARS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    type(None): lambda _: {"NULL": True},
    bool: lambda value: {"BOOL": value},
    str: lambda value: {"S": value},
    int: lambda value: {"N": str(value)},
    float: lambda value: {"N": repr(value)},
}


def write(value: Any) -> dict[str, Any]:
    """One value as DynamoDB takes it; raise TypeError for what no row of ours holds."""
    scalar = SCALARS.get(type(value))
    if scalar is not None:
        return scalar(value)
    if isinstance(value, Mapping):
        return {"M": {name: write(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [write(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} is no value of a row.")


def read(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "M":
            return unmarshal(value)
        case "L":
            return [read(inner) for inner in value]
    return value


def marshal(item: Item) -> dict[str, Any]:
    """A row; what is None is left out."""
    return {name: write(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    return {name: read(value) for name, value in item.items()}
