"""What tests of every connector's README ask alike: whether it says what the code does."""

from __future__ import annotations

import ast
import re


def lists(readme, options, streams, topics=(), limitations=4):
    """Options and streams stand in a table, topics somewhere; so many limitations at least."""
    for name in type(options).model_fields:
        assert f"| `{name}` |" in readme
    for stream in streams:
        assert f"| `{stream.name}` |" in readme
    for topic in topics:
        assert f"`{topic}`" in readme
    assert readme.partition("## Known limitations")[2].count("\n- ") >= limitations


def defaults(readme, options):
    """What the table of options says where nothing is set, by the option's name."""
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", readme, re.MULTILINE))
    return {name: text for name, text in said.items() if name in type(options).model_fields}


def tells_goal(readme, goal):
    """The goal stands there, and says where it is from and when somebody looked."""
    assert f"`{goal.name}`, {goal.reply_within.total_seconds() / 3600:g} hours" in readme
    assert goal.source
    assert goal.checked_on


def shows_its_traps(readme, tests):
    """Each trap that it names has a test in the folder *tests*."""
    written = "".join(path.read_text(encoding="utf-8") for path in tests.glob("test_*.py"))
    for number in re.findall(r"trap (\d+)", readme):
        assert f"def test_trap_{number}_" in written


def logs_nothing(folder):
    """No file of the connector in *folder* imports what logs, or prints."""
    paths = list(folder.glob("*.py"))
    assert paths
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"logging", "structlog", "warnings"} & set(names), path
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (is_call and node.func.id == "print"), path
