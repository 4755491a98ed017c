"""`antiphon`: what people do with the gateway from a shell."""

import click

from infra.local.command import local


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="antiphon")
def main() -> None:
    """Antiphon, a serverless gateway for the OpenAI Responses API."""


main.add_command(local)


if __name__ == "__main__":
    main()
