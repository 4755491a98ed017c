"""Templates, synthesised in this process, once for each set of options."""

import functools
import json
import os
import pathlib
import tempfile
import tomllib

from infra.node import NODE

os.environ["JSII_NODE"] = str(NODE)  # the first use of the CDK starts it

from antiphon.settings import config
from infra.constructs.function_specs import FUNCTION_SPECS, TENANT_ROWS, FunctionSpec, RowPermission
from infra.constructs.options import PREFIX, parse_options
from tests.support.lazy import LazyModule

cfnlint = LazyModule("cfnlint.api")
protection = LazyModule("infra.constructs.protection")
stack = LazyModule("infra.stack")

PROJECT = pathlib.Path(__file__).parents[2]
FROM_CDK = "W3005"  # CDK adds a DependsOn that CloudFormation does not need
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
# Functions that are not invoked by HTTP.
QUEUE_WORKER = FunctionSpec(
    "worker",
    description="reads the queue",
    source="queue",
    minutes=5,
    permissions=(RowPermission(("GetItem",), (TENANT_ROWS,)),),
    secrets=True,
    memory=256,
)
STREAM_READER = FunctionSpec(
    "watcher",
    description="reads the stream of the table",
    source="stream",
    minutes=1,
    permissions=(RowPermission(("Query",), (TENANT_ROWS,), indexes=True),),
    sends_to_queue=True,
    memory=256,
)
ALL_SOURCES = (
    *(spec for spec in FUNCTION_SPECS if spec.name == "api"),
    QUEUE_WORKER,
    STREAM_READER,
)


def _stack(folder, specs, chosen, text=CONFIG):
    from aws_cdk import App, AssetHashType, aws_lambda  # noqa: PLC0415  it takes seconds and starts Node.js

    app = App(outdir=str(folder), context=FLAGS)
    protection.add_nag_checks(app)
    options = parse_options({f"{PREFIX}{name}": value for name, value in chosen})
    functions = pathlib.Path(folder, "functions")  # one file: the CDK copies all of the real ones
    functions.mkdir(parents=True)
    (functions / "api.py").touch()
    code = aws_lambda.Code.from_asset(
        str(functions), asset_hash="functions", asset_hash_type=AssetHashType.CUSTOM
    )
    return stack.AntiphonStack(app, options, config.parse_config(tomllib.loads(text)), code, specs)


@functools.cache
def _template(specs, chosen, text):
    from aws_cdk import assertions  # noqa: PLC0415  as above

    with tempfile.TemporaryDirectory() as folder:
        return assertions.Template.from_stack(_stack(folder, specs, chosen, text))


def template(specs=FUNCTION_SPECS, text=CONFIG, **chosen):
    """Synthesise with these options; fail on findings of cdk-nag."""
    return _template(specs, tuple(sorted(chosen.items())), text)


def write_assembly(folder, text=CONFIG, **chosen):
    """Write an assembly that the CDK CLI can deploy; the functions are not bundled."""
    _stack(folder, FUNCTION_SPECS, tuple(chosen.items()), text).node.root.synth()
    return folder


def lint(file):
    """Return what cfn-lint finds; in this process, where other tests read its schemas, too."""
    return list(map(str, cfnlint.lint_file(file, {"ignore_checks": [FROM_CDK]})))


def resources(template, kind, **wanted):
    """Return the properties of the matching resources by their logical ids."""
    found = template.find_resources(f"AWS::{kind}", {"Properties": wanted} if wanted else {})
    return {name: resource.get("Properties", {}) for name, resource in found.items()}


def only(template, kind, **wanted):
    """Return the properties of the only matching resource."""
    (found,) = resources(template, kind, **wanted).values()
    return found


def function(template, name):
    return only(template, "Lambda::Function", Handler=f"{name}.handler")


def statements(template, name):
    """Return the statements of a function's role."""
    role = function(template, name)["Role"]["Fn::GetAtt"][0]
    policy = only(template, "IAM::Policy", Roles=[{"Ref": role}])
    return policy["PolicyDocument"]["Statement"]


def as_list(value):
    return value if isinstance(value, list) else [value]
