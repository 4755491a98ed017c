"""`antiphon`: the commands of the gateway."""

from importlib import import_module

import click

from infra.project import IS_INSTALLED, NEEDS_PROJECT

# By the module that has the command, under its own name.
MODULES = {
    "adopt": "infra.operator.adopt",
    "conformance": "infra.conformance.command",
    "cost": "infra.operator.cost",
    "doctor": "infra.doctor.command",
    "keys": "infra.operator.keys",
    "local": "infra.local.command",
    "policy": "infra.operator.policy",
    "restore": "infra.operator.restore",
    "secrets": "infra.operator.secrets",
    "tail": "infra.traffic.tail",
    "top": "infra.traffic.top",
    "usage": "infra.operator.usage",
}
MAKE_TARGETS = ("bootstrap", "deploy", "synth", "template")


class Commands(click.Group):
    """Imports the command that is called, for all of them take twice the time.

    Names the target of the Makefile where somebody looks for it as a command.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in MODULES:
            return None
        command: click.Command = getattr(import_module(MODULES[cmd_name]), cmd_name)
        return command

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


if __name__ == "__main__":
    main()
