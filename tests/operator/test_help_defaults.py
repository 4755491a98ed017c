"""The help of every command: each option that has a default states it, in words of its user."""

import re

import click

from infra.cli import main

REPR = re.compile(
    r"<\w+ \w|\w+Path\(|Decimal\(|default: [(\['\"]|object at 0x|None\b|True\b|False\b"
)


def all_commands(command=main, path=("antiphon",)):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from all_commands(inner, (*path, name))


def options_with_defaults(command):
    """Options that take a value and have one without being given."""
    for each in command.params:
        is_option = isinstance(each, click.Option) and not (each.is_flag and not each.default)
        if is_option and each.default not in (None, ()):
            yield each


def test_each_option_states_its_default():
    missing = [
        (*path, option.opts[0])
        for path, command in all_commands()
        for option in options_with_defaults(command)
        if "[default: " not in option.get_help_record(click.Context(command))[1]
    ]
    assert missing == []


def test_no_help_has_a_word_of_python():
    found = {
        path: REPR.findall(command.get_help(click.Context(command, info_name=path[-1])))
        for path, command in all_commands()
    }
    assert {path: words for path, words in found.items() if words} == {}


def test_computed_defaults_are_stated_too():
    for path, option in (
        (("usage",), "--since"),
        (("keys", "create"), "--rpm"),
        (("tail",), "--tenant"),
        (("local",), "--rest-port"),
        (("doctor",), "--config"),
    ):
        command = main
        for name in path:
            command = command.get_command(click.Context(command), name)
        found = next(each for each in command.params if option in each.opts)
        assert "[default: " in found.get_help_record(click.Context(command))[1]
