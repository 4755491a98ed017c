"""`python -m infra.template --out DIR`: what deploys a stack without the CDK, Node.js and Python.

DIR gets template.json and the functions' asset, a zip file. The template names the asset by two
parameters, its bucket and the prefix of its key, and needs nothing of `cdk bootstrap`.
"""

import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from antiphon.settings.config import Config, ConfigError, load_config
from infra.bundle import Bundle, BundleError, zip_folder
from infra.constructs.options import Options, OptionsError, parse_options, stack_name
from infra.node import NODE
from infra.project import CONFIG, PROJECT

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk.aws_lambda import Code

BUCKET, PREFIX = "AssetBucket", "AssetPrefix"  # the parameters
DEFAULT_PREFIX = "antiphon/"
TEMPLATE = "template.json"
_ASSET = re.compile(r"[0-9a-f]{64}\.zip")


@dataclass(frozen=True)
class Package:
    """A template and the name of the asset that it refers to."""

    options: Options
    template: Mapping[str, Any]

    @property
    def asset(self) -> str:
        (name,) = {*_ASSET.findall(json.dumps(self.template))}
        return str(name)

    def write(self, out: Path, asset: Path) -> None:
        out.mkdir(parents=True)
        (out / TEMPLATE).write_text(json.dumps(self.template, indent=1) + "\n", "utf-8")
        (out / self.asset).write_bytes(zip_folder(asset))

    def commands(self, folder: Path) -> list[str]:
        """Return the commands of the AWS CLI that deploy it from the folder.

        A template of more than 51,200 bytes goes through the bucket as well, which
        `deploy --s3-bucket` does.
        """
        here, stack = shlex.quote(str(folder)), f"--stack-name {stack_name(self.options.stage)}"
        parameters = (
            f"--s3-bucket $BUCKET --s3-prefix {DEFAULT_PREFIX.rstrip('/')}"
            f" --capabilities CAPABILITY_IAM --parameter-overrides {BUCKET}=$BUCKET"
        )
        region = f" --region {self.options.region}" if self.options.region else ""
        commands = [
            f"s3 cp {here}/{self.asset} s3://$BUCKET/{DEFAULT_PREFIX}{self.asset}",
            f"cloudformation deploy --template-file {here}/{TEMPLATE} {stack} {parameters}",
        ]
        if self.options.keeps_data:
            protect = "update-termination-protection --enable-termination-protection"
            commands.append(f"cloudformation {protect} {stack}")
        return [f"aws {command}{region}" for command in commands]


def build_package(
    context: Mapping[str, Any], options: Options, config: Config, code: "Code"
) -> Package:
    """Synthesise the stack with the flags of the CDK context; its resources are as `make deploy`'s.

    The key of the asset is in the template, not a parameter: with a key from outside, a new asset
    would not make new versions of the functions, and the alias would stay with the old ones.
    """
    from aws_cdk import App, CliCredentialsStackSynthesizer  # noqa: PLC0415  it starts Node.js

    from infra.constructs.protection import add_nag_checks  # noqa: PLC0415  as above
    from infra.stack import AntiphonStack  # noqa: PLC0415  as above

    # It needs no roles of `cdk bootstrap`; names in ${} become references.
    places = CliCredentialsStackSynthesizer(
        file_assets_bucket_name=f"${{{BUCKET}}}", bucket_prefix=f"${{{PREFIX}}}"
    )
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder, context=context, default_stack_synthesizer=places)
        add_nag_checks(app)
        stack = AntiphonStack(app, options, config, code)
        _add_parameters(stack)
        app.synth()
        template = Path(folder, stack.template_file).read_text("utf-8")
    return Package(options, json.loads(template))


def _add_parameters(stack: "Stack") -> None:
    from aws_cdk import CfnParameter  # noqa: PLC0415  it starts Node.js

    CfnParameter(
        stack,
        BUCKET,
        description="Bucket, in the Region of the stack, that has the zip file of the functions.",
        allowed_pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    )
    CfnParameter(
        stack,
        PREFIX,
        description="What the key of the zip file begins with; empty, or with / at its end.",
        default=DEFAULT_PREFIX,
        allowed_pattern=r"^([^/].*/)?$",
    )


def read_context(changes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the context of cdk.json, with `key=value` as the CDK CLI's option -c changes it."""
    context: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text("utf-8"))["context"]
    return context | dict(_parse_pair(change) for change in changes)


def _parse_pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text} is not key=value.", param_hint="-c")
    return key, value


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("-c", "--context", "changes", multiple=True, metavar="KEY=VALUE", help="An option.")
def main(out: Path, changes: tuple[str, ...]) -> None:
    """Write a template and the functions' asset; print the commands that deploy them."""
    if out.exists():
        raise click.BadParameter(f"{out} exists already.", param_hint="--out")
    os.environ.setdefault("JSII_NODE", str(NODE))
    from infra.constructs.functions import create_code  # noqa: PLC0415  it starts Node.js

    try:
        context = read_context(changes)
        options, config = parse_options(context), load_config(CONFIG)
        bundle = Bundle.from_lock(options.arch)
        package = build_package(context, options, config, create_code(bundle))
    except (BundleError, ConfigError, OptionsError) as exc:
        sys.exit(str(exc))
    package.write(out, bundle.ensure_built())
    click.echo(f"# {out}: {TEMPLATE} and {package.asset}. They are deployed with the AWS CLI:")
    click.echo("BUCKET=…   # a bucket of yours, in the Region of the stack")
    click.echo("\n".join(package.commands(out)))


if __name__ == "__main__":
    main()
