"""Runs a command for the AWS CLI by boto3: options become parameters, by the service's own model."""

import json

from botocore import xform_name
from botocore.validate import validate_parameters

from tests.support.aws_clients import aws_client

PREFIX, NEGATION = "--", "no-"


def run_aws(service, operation, *options):
    """Return the answer; an option that the operation does not have raises KeyError."""
    client, method = aws_client(service), operation.replace("-", "_")
    return getattr(client, method)(**read_parameters(client, method, options))


def check_aws(service, operation, *options):
    """Check the parameters only, for what moto does not have; what is wrong raises."""
    client, method = aws_client(service), operation.replace("-", "_")
    shape = find_shape(client, method)
    if shape is not None:
        validate_parameters(read_parameters(client, method, options), shape)


def find_shape(client, method):
    name = client.meta.method_to_api_mapping[method]
    return client.meta.service_model.operation_model(name).input_shape


def read_parameters(client, method, options):
    return dict(read_options(find_shape(client, method), [*options])) if options else {}


def read_options(shape, words):
    """Yield each parameter with its value, as the AWS CLI reads them."""
    names = {xform_name(name, "-"): name for name in shape.members}
    while words:
        option = words.pop(0).removeprefix(PREFIX)
        is_negated = option not in names and option.startswith(NEGATION)
        name = names[option.removeprefix(NEGATION) if is_negated else option]
        member = shape.members[name]
        if member.type_name == "boolean":
            yield name, not is_negated
        else:
            yield name, read_value(member, words.pop(0))


def read_value(shape, text):
    """Read a string, a number, a truth value, or a structure as JSON or in shorthand syntax."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}[text.lower()]
    if shape.type_name in {"integer", "long"}:
        return int(text)
    if shape.type_name != "structure":
        return text
    if text.startswith("{"):
        return json.loads(text)
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: read_value(shape.members[name], value) for name, _, value in pairs}
