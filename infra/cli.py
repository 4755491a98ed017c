"""`antiphon`: the commands of the gateway."""

import click

from infra.conformance.command import conformance
from infra.doctor.command import doctor
from infra.local.command import local
from infra.operator.adopt import adopt
from infra.operator.cost import cost
from infra.operator.keys import keys
from infra.operator.policy import policy
from infra.operator.restore import restore
from infra.operator.secrets import secrets
from infra.operator.usage import usage
from infra.project import IS_INSTALLED, NEEDS_PROJECT
from infra.traffic.tail import tail
from infra.traffic.top import top

MAKE_TARGETS = ("bootstrap", "deploy", "synth", "template")


class Commands(click.Group):
    """Names the target of the Makefile where somebody looks for it as a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in MAKE_TARGETS:
            text = NEEDS_PROJECT if IS_INSTALLED else "In the project's folder run `make {}`."
            raise click.UsageError(text.format(args[0]), ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="antiphon")
def main() -> None:
    """Antiphon, a serverless gateway for the OpenAI Responses API."""


main.add_command(adopt)
main.add_command(conformance)
main.add_command(cost)
main.add_command(doctor)
main.add_command(local)
main.add_command(keys)
main.add_command(policy)
main.add_command(restore)
main.add_command(secrets)
main.add_command(tail)
main.add_command(top)
main.add_command(usage)


if __name__ == "__main__":
    main()
