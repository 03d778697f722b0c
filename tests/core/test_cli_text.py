"""What of the command line is no UTF-8: it comes as lone surrogates, which no database takes."""

from __future__ import annotations

import os

import click
import pytest

from core.cli import main
from tests.core import terminal

NO_TEXT = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "args",
    [
        ("explain", "mk", NO_TEXT),
        ("mark", NO_TEXT, "T1", "decided"),
        ("mark", "mk", NO_TEXT, "decided"),
        ("reply", "mk", "T1", "--text", NO_TEXT),
        ("mute", "mk", "--until", "6h", "--reason", NO_TEXT),
        ("mute", NO_TEXT, "--until", "6h"),
        ("set-aside", "list", "--account", NO_TEXT),
        ("redate", NO_TEXT, "--from", "2026-11-21"),
        ("notices", "retry", "--notifier", NO_TEXT),
        ("notify", "--test", NO_TEXT),
    ],
)
def test_a_word_that_is_no_utf8_is_a_wrong_call(args):
    code, out, err = terminal.give(*args)

    assert (code, out) == (2, "")
    assert "is not UTF-8; write it in that encoding" in err


def _commands(group):
    for command in group.commands.values():
        yield from _commands(command) if isinstance(command, click.Group) else [command]


def test_no_command_takes_words_as_they_come():
    commands = list(_commands(main))

    assert {"explain", "list", "mute"} <= {command.name for command in commands}
    assert not [
        f"{command.name} {param.name}"
        for command in commands
        for param in command.params
        if param.type is click.STRING
    ]


def test_a_files_name_may_be_any_bytes(tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.dump")

    code, _, err = terminal.give("restore", "--check", name)

    assert code == 1
    assert "nobody expected" not in err
    assert "UTF-8" not in err
