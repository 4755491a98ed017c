"""Every command that works on a stack, where AWS cannot be used: one sentence, and what to do."""

import http.server
import threading

import click
import pytest

from infra.cli import main
from tests.support.commands import EMPTY_ENVIRONMENT, OPERATOR_ENVIRONMENT, run_antiphon

# The arguments that each command must have.
ARGUMENTS = {
    "adopt": ("acme", "vs_1"),
    "doctor": ("--stage", "prod"),
    "keys create": ("--tenant", "acme"),
    "keys revoke": ("key_1234",),
    "keys rotate": ("key_1234",),
    "keys show": ("key_1234",),
    "keys update": ("key_1234", "--rpm", "5"),
    "restore": ("table-from-backup",),
    "secrets put": ("openai",),
    "usage recount": ("--since", "1d"),
}
EXPIRED = b"""<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>
<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""


def find_commands(command=main, *path):
    """Yield the words of each command with the option --region."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from find_commands(command.get_command(context, name), *path, name)
    # `cost` takes a Region for its prices, and calls nothing.
    if path != ("cost",) and any("--region" in option.opts for option in command.params):
        yield " ".join(path)


COMMANDS = sorted(find_commands())


class Expired(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(403)
        self.send_header("content-length", str(len(EXPIRED)))
        self.end_headers()
        self.wfile.write(EXPIRED)

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture(scope="module")
def expired():
    """An AWS for which all credentials have expired."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Expired) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            **OPERATOR_ENVIRONMENT,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        }
        server.shutdown()


def errors(env):
    """Return the exit code and the message of each command; unexpected exceptions are raised."""
    results = {
        command: run_antiphon(*command.split(), *ARGUMENTS.get(command, ()), stdin="x", env=env)
        for command in COMMANDS
    }
    return {command: (each.code, each.err) for command, each in results.items()}


def check(env, *texts):
    found = errors(env)
    wrong = {
        command: result
        for command, result in found.items()
        if result[0] != 1 or not all(text in result[1] for text in texts)
    }
    assert wrong == {}


def test_commands_are_found():
    assert {*ARGUMENTS} <= {*COMMANDS}
    assert len(COMMANDS) > len(ARGUMENTS)


def test_without_credentials_they_say_how_to_sign_in():
    env = {**EMPTY_ENVIRONMENT, "AWS_REGION": "us-east-1"}
    check(env, "There are no AWS credentials.", "aws sso login", "AWS_PROFILE")


def test_without_a_region_they_say_where_to_name_it():
    env = {name: value for name, value in OPERATOR_ENVIRONMENT.items() if name != "AWS_REGION"}
    check({**env, "AWS_REGION": None}, "There is no AWS Region.", "--region", "AWS_REGION")


@pytest.mark.usefixtures("stacks")
def test_without_a_stack_they_say_how_to_deploy_one_or_name_another():
    env = {**OPERATOR_ENVIRONMENT, "AWS_REGION": "eu-west-1"}
    check(env, "There is no stack Antiphon-prod in eu-west-1.", "make deploy", "--region")


def test_with_an_expired_token_they_say_to_sign_in_again(expired):
    check(expired, "Your AWS credentials have expired.", "aws sso login")
