"""Templates, made in this process and once for each choice of options."""

import functools
import json
import os
import pathlib
import tempfile
import tomllib

from infra.node import NODE

os.environ["JSII_NODE"] = str(NODE)  # the CDK starts it when it is imported

from aws_cdk import App, assertions, aws_lambda

from antiphon.settings import config
from infra.constructs.doors import DOORS, TENANTS, Door, Right
from infra.constructs.findings import check
from infra.constructs.options import PREFIX, read
from infra.stack import Antiphon

PROJECT = pathlib.Path(__file__).parents[2]
CONTEXT = json.loads((PROJECT / "cdk.json").read_text())["context"]
FLAGS = {name: value for name, value in CONTEXT.items() if not name.startswith(PREFIX)}
CONFIG = """
[targets.openai]
provider = "openai"
models = ["gpt-*"]

[targets.azure-east]
provider = "azure"
endpoint = "https://acme.openai.azure.com"
models = { "gpt-5" = "gpt-5-prod" }
"""
EVERYTHING = {  # that is off by default
    "customer_managed_key": True,
    "firewall": True,
    "reserved_concurrency": 50,
    "domain_name": "ai.example.com",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1-2-3",
    "hosted_zone_id": "Z0123456789",
    "alarm_email": "ops@example.com",
}
# Rows of the kinds that no HTTP request calls.
WORKER = Door(
    "worker",
    about="works on the queue",
    source="queue",
    minutes=5,
    rights=(Right(("GetItem",), (TENANTS,)),),
    secrets=True,
    memory=256,
)
WATCHER = Door(
    "watcher",
    about="follows the table's changes",
    source="stream",
    minutes=1,
    rights=(Right(("Query",), (TENANTS,), indexes=True),),
    defers=True,
    memory=256,
)
ALL_KINDS = (*(door for door in DOORS if door.name == "api"), WORKER, WATCHER)


def _stack(folder, doors, chosen, text=CONFIG):
    app = App(outdir=str(folder), context=FLAGS)
    check(app)
    options = read({f"{PREFIX}{name}": value for name, value in chosen})
    code = aws_lambda.Code.from_asset(str(PROJECT / "functions"))
    return Antiphon(app, options, config.parse_config(tomllib.loads(text)), code, doors)


@functools.cache
def _template(doors, chosen, text):
    with tempfile.TemporaryDirectory() as folder:
        return assertions.Template.from_stack(_stack(folder, doors, chosen, text))


def template(doors=DOORS, text=CONFIG, **chosen):
    """What `cdk synth` gives with these options and no unanswered finding of cdk-nag."""
    return _template(doors, tuple(sorted(chosen.items())), text)


def assembled(folder, **chosen):
    """A folder that the CDK CLI can deploy; the functions are not bundled."""
    _stack(folder, DOORS, tuple(chosen.items())).node.root.synth()
    return folder


def resources(template, kind, **wanted):
    """The properties of all resources of a kind, by their names, that have the wanted ones."""
    found = template.find_resources(f"AWS::{kind}", {"Properties": wanted} if wanted else {})
    return {name: resource.get("Properties", {}) for name, resource in found.items()}


def only(template, kind, **wanted):
    """The properties of the one resource of this kind that has the wanted ones."""
    (found,) = resources(template, kind, **wanted).values()
    return found


def function(template, name):
    return only(template, "Lambda::Function", Handler=f"{name}.handler")


def statements(template, name):
    """What the role of a function allows."""
    role = function(template, name)["Role"]["Fn::GetAtt"][0]
    policy = only(template, "IAM::Policy", Roles=[{"Ref": role}])
    return policy["PolicyDocument"]["Statement"]


def listed(value):
    return value if isinstance(value, list) else [value]
