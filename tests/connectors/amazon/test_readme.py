"""The README says what the code does."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import timedelta
from pathlib import Path

from connectors.amazon import kinds, offer
from connectors.amazon.options import AmazonOptions, SpApi
from core.options import FLOOR, MailServer, MailTokens
from core.transport import correspondence, portions
from core.transport.mailbox import Limits
from tests.connectors.amazon.letters import options

FOLDER = Path(kinds.__file__).parent
TEXT = (FOLDER / "README.md").read_text()
HERE = Path(__file__).parent


def test_the_readme_lists_options_traps_and_limitations():
    for part in (AmazonOptions, MailServer, SpApi, MailTokens):
        for name in part.model_fields:
            assert f"`{name}`" in TEXT, name
    assert "## Known limitations" in TEXT


def test_the_readme_names_every_type_of_letter():
    for kind in kinds.TYPES:
        assert f"`{kind}`" in TEXT


def functions():
    """Names of the connector's tests: not those of the stand-in, and no word of a comment."""
    paths = [path for path in HERE.rglob("test_*.py") if "sandbox" not in path.parts]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    return {one.name for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_trap_of_the_readme_has_a_test_with_its_number():
    rows = re.findall(r"^\| ([\d, ]+) \|", TEXT, re.MULTILINE)
    numbers = {int(n) for row in rows for n in row.split(",")}
    tests = functions()

    assert numbers >= {*range(2, 17), *range(18, 26), 47}
    for number in numbers:
        assert any(name.startswith(f"test_trap_{number:02}_") for name in tests), number


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


def test_the_limits_in_the_readme_are_those_of_the_code():
    (stream,) = offer.streams(
        options(poll_every="2m", imap={"host": "imap.x.example", "port": 993})
    )
    limits = Limits()

    assert stream.every == timedelta(minutes=2)
    assert stream.floor == FLOOR == timedelta(minutes=1)
    assert f"| `{stream.name}` | IMAP: inbox, junk, sent | 2 min, at least 1 min;" in TEXT
    assert f"{portions.MOST} letters, {portions.MOST_BYTES >> 20} MB or" in TEXT
    assert f"or {portions.MOST_SECONDS:g} s; its cursor" in TEXT
    assert f"letters are read up to {limits.whole >> 20} MB" in TEXT
    assert f"one of more than {limits.whole >> 20} MB is read from its first megabyte" in TEXT
    assert limits.begin == 2**20
    assert f"slices of {limits.slice / 60:g} min" in TEXT
    assert f"at least {offer.SHORTEST} character" in TEXT
    assert f"answers take along {offer.MOST_ENCLOSED // 10**6} MB in all" in TEXT


def test_the_example_of_the_readme_is_an_account():
    example = tomllib.loads(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1])
    told = example["accounts"]["amazon-de"]["options"]

    assert AmazonOptions.model_validate(told).imap.tls == "tls"


def test_the_defaults_in_the_readme_are_those_of_the_code():
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", TEXT, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in AmazonOptions.model_fields}

    assert options(**written) == options()
    assert set(written) == {
        "look_back", "poll_every", "confirmed_after", "same_subject", "returns",
    }  # fmt: skip


def test_the_readme_says_how_to_change_password_and_consent():
    assert "A new password or consent" in TEXT
    assert "reload" in TEXT


def test_the_connector_logs_one_thing_alone():
    """That a refresh token was replaced: once for each, without it."""
    said = [
        (path.name, line.strip())
        for path in (*FOLDER.glob("*.py"), Path(correspondence.__file__))
        for line in path.read_text().splitlines()
        if re.search(r"\blog\.(debug|info|warning|error|exception)\(|\bprint\(", line)
    ]

    assert [(name, "refresh token replaced" in line) for name, line in said] == [
        ("correspondence.py", True)
    ]
