"""`antiphon`: the commands of the gateway."""

import click

from infra.doctor.command import doctor
from infra.local.command import local
from infra.operator.adopt import adopt
from infra.operator.keys import keys
from infra.operator.restore import restore
from infra.operator.secrets import secrets
from infra.operator.usage import usage
from infra.traffic.tail import tail


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="antiphon")
def main() -> None:
    """Antiphon, a serverless gateway for the OpenAI Responses API."""


main.add_command(adopt)
main.add_command(doctor)
main.add_command(local)
main.add_command(keys)
main.add_command(restore)
main.add_command(secrets)
main.add_command(tail)
main.add_command(usage)


if __name__ == "__main__":
    main()
