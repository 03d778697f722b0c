"""What holds of the README of each kind behind the Graph API."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import connectors.webstore
from connectors.webstore import spec
from tests.connectors import described

STORE = Path(connectors.webstore.__file__).parent
TESTS = Path(__file__).parents[1]


class Readme:
    """The README of *word*, the account that its example writes, and the tests that it names."""

    def __init__(self, word):
        self.word, self.folder = word, STORE / word
        self.text = (self.folder / "README.md").read_text(encoding="utf-8")
        example = tomllib.loads(re.search(r"```toml\n(.*?)```", self.text, re.DOTALL)[1])
        ((_, account),) = example["accounts"].items()
        told = account["options"]
        self.options = spec.options_of(told).model_validate(told)

    def lists_options_streams_and_limitations(self):
        for name in set(type(self.options).model_fields) - {"kind"}:
            assert f"`{name}`" in self.text, name
        for stream in spec.streams(self.options):
            assert f"| `{stream.name}` |" in self.text
        for policy in (*spec.policies(self.options), *spec.goals(self.options)):
            assert f"`{policy.name}`" in self.text
        assert self.text.partition("## Known limitations")[2].count("\n- ") >= 4

    def says_the_defaults(self):
        rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", self.text, re.MULTILINE)
        known = type(self.options).model_fields
        written = {name: value for name, value in rows if name in known}
        assert {"api", "version"} <= written.keys()
        for name, value in written.items():
            assert str(known[name].default).lower() == value, name

    def says_how_often(self, name):
        stream = next(one for one in spec.streams(self.options) if one.name == name)
        told = stream.every / timedelta(hours=1)
        every = f"{told:g} h" if told >= 1 else f"{told * 60:g} min"
        assert re.search(rf"\| `{name}` \|[^|]*\| {every}", self.text), name

    def changes_the_token(self):
        assert "**A new token**" in self.text
        assert "reload" in self.text

    def traps_have_tests(self):
        rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", self.text, re.MULTILINE)
        assert rows
        known = functions(TESTS / self.word) | functions(TESTS / "meta")
        for number, names in rows:
            for name in re.findall(r"`(\w+)`", names):
                assert name in known, name
                assert name.startswith(f"test_trap_{number}_"), name

    def logs_nothing(self):
        for folder in (self.folder, STORE / "meta"):
            described.logs_nothing(folder)


def functions(folder):
    paths = folder.glob("test_*.py")
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    found = [one for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {one.name for one in found}
