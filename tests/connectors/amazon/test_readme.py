"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.amazon import kinds
from connectors.amazon.options import AmazonOptions, Server, SpApi, Tokens

FOLDER = Path(kinds.__file__).parent
TEXT = (FOLDER / "README.md").read_text()
HERE = Path(__file__).parent


def test_the_readme_lists_options_traps_and_limitations():
    for part in (AmazonOptions, Server, SpApi, Tokens):
        for name in part.model_fields:
            assert f"`{name}`" in TEXT, name
    assert "## Known limitations" in TEXT


def test_the_readme_names_every_type_of_letter():
    for kind in kinds.TYPES:
        assert f"`{kind}`" in TEXT


def test_each_trap_of_the_readme_has_a_test_with_its_number():
    rows = re.findall(r"^\| ([\d, ]+) \|", TEXT, re.MULTILINE)
    numbers = {int(n) for row in rows for n in row.split(",")}
    tests = "".join(path.read_text() for path in HERE.rglob("test_*.py"))

    assert numbers >= {*range(2, 17), *range(18, 26), 47}
    for number in numbers:
        assert f"def test_trap_{number:02}_" in tests, number


def test_trap_01_nothing_here_looks_for_an_api_that_reads_messages():
    for path in FOLDER.glob("*.py"):
        assert "/messaging/v1" not in path.read_text(), path


def test_each_trap_named_in_the_code_is_explained():
    code = "".join(path.read_text() for path in FOLDER.rglob("*.py"))
    named = {
        int(n) for group in re.findall(r"\(traps? ([\d, ]+)\)", code) for n in group.split(",")
    }
    rows = re.findall(r"^\| ([\d, ]+) \|", TEXT, re.MULTILINE)

    assert named <= {int(n) for row in rows for n in row.split(",")}
    assert named
